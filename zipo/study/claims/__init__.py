"""The paper's claims: what each states, the evidence for it in a study's tables, the verdicts, and their page."""
