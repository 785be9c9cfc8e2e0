"""The paper's claims: what each says, the evidence, the verdict, and the page of them."""
