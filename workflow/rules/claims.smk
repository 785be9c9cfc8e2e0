# The paper's claims, decided from tables alone, most from the runs table.

CLAIM_TABLES = [
    "runs",
    "totals",
    *(["clusters"] if latent_space() else []),
    *(["trials"] if TUNING else []),
]


rule claims:
    input:
        tables=lambda w: (
            expand(f"{RESULTS}/{{name}}.parquet", name=CLAIM_TABLES) if SETTINGS else refuse("claims", "experiments")
        ),
        catalogue=CLAIMS,
        code=code("zipo.study.claims.tables", "zipo.study.claims.verdicts", "zipo.study.claims.page"),
    output:
        tsv=f"{RESULTS}/claims.tsv",
        page=report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="2 Claims",
            labels={"page": "The paper's claims, tested"},
        ),
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=json.dumps(CLAIMED),
    shell:
        "zipo study claims --study {params.study:q} --catalogue {input.catalogue:q} --tsv {output.tsv:q} --page {output.page:q} "
        "{input.tables:q} 2> {log:q}"
