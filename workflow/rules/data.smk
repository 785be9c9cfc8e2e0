# From sources to data set files.


rule fetch:
    output:
        f"{DOWNLOADS}/{{download}}",
    log:
        f"{DOWNLOADS}/{{download}}.log",
    benchmark:
        f"{DOWNLOADS}/{{download}}.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    resources:
        # how this call fetches, and no reason to fetch again
        connections=STUDY.file.connections,
        update_lock="--update-lock" if STUDY.file.update_lock else "",
    params:
        source=lambda w: FETCHED[w.download].model_dump_json(),
        settings=fetch_settings,
    shell:
        "zipo study fetch --source {params.source:q} --target {output:q} --settings {params.settings:q} "
        "--connections {resources.connections} {resources.update_lock} 2>&1 | tee {log:q} >&2"


rule prepare:
    input:
        raw=raw_counts,
        code=reading_code,
    output:
        counts=PATHS.data(),
        checksum=f"{RESULTS}/data/{{dataset}}.sha256",
    log:
        f"{RESULTS}/logs/prepare/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{dataset}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
        runtime=lambda w, attempt: PLAN.within_limit(60 * attempt),
    params:
        dataset=lambda w: json.dumps(STUDY.datasets[w.dataset].model_dump(mode="json")),
        downloads=DOWNLOADS,
        own=own_files,
    shell:
        "zipo study prepare --name {wildcards.dataset} --dataset {params.dataset:q} --downloads {params.downloads} "
        "--target {output.counts:q} 2> {log:q}"


rule table_1:
    input:
        data=PLAN.data_files,
        code=code_of("table-1"),
    output:
        PATHS.file("table-1.tsv"),
    log:
        f"{RESULTS}/logs/table-1.log",
    benchmark:
        f"{RESULTS}/benchmarks/table-1.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study table-1 --target {output:q} {input.data:q} 2> {log:q}"
