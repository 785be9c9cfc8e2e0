# The paper's claims, decided from tables alone, most from the runs table.


rule claims:
    input:
        tables=lambda w: inputs_of_target("claims"),
        catalogue=CLAIMS,
        code=code_of("claims"),
    output:
        tsv=PATHS.file("claims.tsv"),
        page=report(
            PATHS.file("claims.html"),
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
        study=as_it_is(facts.ClaimFacts.of(STUDY).as_json()),
    shell:
        "zipo study claims --study {params.study:q} --catalogue {input.catalogue:q} --tsv {output.tsv:q} --page {output.page:q} "
        "{input.tables:q} 2> {log:q}"
