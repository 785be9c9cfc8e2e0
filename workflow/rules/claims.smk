# The paper's claims, decided from the runs table alone.


rule claims:
    input:
        runs=f"{RESULTS}/runs.parquet",
        catalogue=CLAIMS,
        code=code("study/claim*.py", "study/evidence.py", "study/page.py", "study/paired.py"),
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
    conda:
        "../../envs/zipo.yaml"
    params:
        study=json.dumps(CLAIMED),
    shell:
        "python -m zipo study claims {input.runs:q} {params.study:q} {input.catalogue:q} {output.tsv:q} "
        "{output.page:q} 2> {log:q}"
