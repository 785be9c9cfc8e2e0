# Verdicts on claims under each reading of what the paper leaves open and by size, from the runs table alone.


rule readings:
    input:
        runs=lambda w: inputs_of_target("readings"),
        catalogue=CLAIMS,
        code=code_of("readings"),
    output:
        parquet=PATHS.table("readings"),
        tsv=PATHS.file("readings.tsv"),
        page=report(
            PATHS.file("readings.html"),
            caption="../report/readings.rst",
            category="2 Claims",
            labels={"page": "Under other readings of the paper"},
        ),
    log:
        f"{RESULTS}/logs/readings.log",
    benchmark:
        f"{RESULTS}/benchmarks/readings.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=lambda w: ReadingFacts.of(STUDY).as_json(),
    shell:
        "zipo study readings --study {params.study:q} --catalogue {input.catalogue:q} --parquet {output.parquet:q} "
        "--tsv {output.tsv:q} --page {output.page:q} {input.runs:q} 2> {log:q}"


rule scale:
    input:
        runs=lambda w: inputs_of_target("readings"),
        readings=PATHS.table("readings"),
        code=code_of("scale"),
    output:
        PATHS.table("scale"),
    log:
        f"{RESULTS}/logs/scale.log",
    benchmark:
        f"{RESULTS}/benchmarks/scale.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=lambda w: ReadingFacts.of(STUDY).as_json(),
    shell:
        "zipo study scale --study {params.study:q} --readings {input.readings:q} --target {output:q} "
        "{input.runs:q} 2> {log:q}"
