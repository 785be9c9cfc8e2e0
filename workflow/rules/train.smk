# A job trains one setting over a block of seeds.


rule train:
    input:
        data=lambda w: PATHS.data(SETTINGS[w.setting].dataset),
        code=code_of("train"),
    output:
        rows=PATHS.rows(),
        latents=PATHS.latents(),
    log:
        f"{RESULTS}/logs/train/{{setting}}/seeds-{{seeds}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{setting}}/seeds-{{seeds}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    threads: STUDY.file.threads
    resources:
        mem_mb=lambda w, attempt: PLAN.memory_mb([SETTINGS[w.setting]], attempt),
        runtime=lambda w, attempt: PLAN.minutes([SETTINGS[w.setting]], len(seeds_of_block(w.seeds)), attempt),
    params:
        setting=lambda w: json.dumps({"id": w.setting} | SETTINGS[w.setting].resolved),
        seeds=lambda w: ",".join(map(str, seeds_of_block(w.seeds))),
        latents_of=lambda w: "all" if SETTINGS[w.setting].keep_latents else "first",
        thresholds=",".join(f"{threshold:g}" for threshold in STUDY.file.prune_thresholds),
        device=STUDY.file.device,
        kept=PATHS.kept(),
        checkpoint_seconds=STUDY.file.checkpoint_seconds,
    shell:
        # exec, as a shell in between would die of a signal at once, and take along what still writes its checkpoint
        "exec zipo study train --data {input.data:q} --setting {params.setting:q} --rows {output.rows:q} "
        "--latents {output.latents:q} --latents-of {params.latents_of} --seeds {params.seeds} "
        "--thresholds {params.thresholds} --device {params.device} "
        "--threads {threads} --kept {params.kept:q} --checkpoint-seconds {params.checkpoint_seconds} {input.code:q} "
        "> {log:q} 2>&1"


rule runs_table:
    input:
        runs=PLAN.row_files,
        code=code_of("runs-table"),
    output:
        parquet=PATHS.table("runs"),
        tsv=PATHS.file("runs.tsv"),
    log:
        f"{RESULTS}/logs/runs-table.log",
    benchmark:
        f"{RESULTS}/benchmarks/runs-table.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        study=STUDY.file.study,
        settings=as_it_is(
            json.dumps({name: {"experiments": s.experiments, "variant": s.variant} for name, s in SETTINGS.items()})
        ),
    shell:
        "zipo study runs-table --study {params.study} --settings {params.settings:q} --parquet {output.parquet:q} "
        "--tsv {output.tsv:q} {input.runs:q} 2> {log:q}"
