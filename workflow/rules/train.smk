# A job trains one setting over a block of seeds.


rule train:
    input:
        data=lambda w: data_of(SETTINGS[w.setting].dataset),
        code=code("zipo.study.block"),
    output:
        rows=f"{RESULTS}/runs/{{setting}}/seeds-{{seeds}}.json",
        latents=f"{RESULTS}/runs/{{setting}}/latents-{{seeds}}.npz",
    log:
        f"{RESULTS}/logs/train/{{setting}}/seeds-{{seeds}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{setting}}/seeds-{{seeds}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    threads: STUDY.file.threads
    resources:
        mem_mb=lambda w, attempt: growing(memory_of(SETTINGS[w.setting]), attempt),
        runtime=lambda w, attempt: within_limit(
            growing(minutes_of(SETTINGS[w.setting], len(seeds_of_block(w.seeds))), attempt)
        ),
    params:
        setting=lambda w: json.dumps({"id": w.setting} | SETTINGS[w.setting].resolved),
        seeds=lambda w: ",".join(map(str, seeds_of_block(w.seeds))),
        thresholds=",".join(f"{threshold:g}" for threshold in STUDY.file.prune_thresholds),
        device=STUDY.file.device,
        kept=f"{RESULTS}/kept/{{setting}}",
        every=STUDY.file.checkpoint_seconds,
    shell:
        # exec, as a shell in between would die of a signal at once, and take along what still writes its checkpoint
        "exec zipo study train --data {input.data:q} --setting {params.setting:q} --rows {output.rows:q} "
        "--latents {output.latents:q} --seeds {params.seeds} --thresholds {params.thresholds} --device {params.device} "
        "--threads {threads} --kept {params.kept:q} --checkpoint-seconds {params.every} {input.code:q} > {log:q} 2>&1"


rule runs_table:
    input:
        runs=all_runs(),
        code=code("zipo.study.runs_table"),
    output:
        parquet=f"{RESULTS}/runs.parquet",
        tsv=f"{RESULTS}/runs.tsv",
    log:
        f"{RESULTS}/logs/runs-table.log",
    benchmark:
        f"{RESULTS}/benchmarks/runs-table.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=STUDY.file.study,
        settings=json.dumps({name: {"experiments": s.experiments, "name": s.name} for name, s in SETTINGS.items()}),
    shell:
        "zipo study runs-table --study {params.study} --settings {params.settings:q} --parquet {output.parquet:q} "
        "--tsv {output.tsv:q} {input.runs:q} 2> {log:q}"
