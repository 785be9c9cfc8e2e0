# The search for hyper-parameters: jobs share its trials through one journal, which is nobody's output, so that it
# outlives them all.

if TUNING := PLAN.tuning:

    rule tune_worker:
        input:
            data=PATHS.data(TUNING.dataset),
            code=code("zipo.study.run"),
            search=code_of("tune-worker"),
        output:
            PATHS.worker(),
        log:
            f"{RESULTS}/logs/tune/worker-{{worker}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tune/worker-{{worker}}.tsv"
        retries: 2
        conda:
            "../../envs/zipo.yaml"
        threads: STUDY.file.threads
        resources:
            mem_mb=lambda w, attempt: PLAN.memory_mb(PLAN.searched_settings, attempt),
            runtime=lambda w, attempt: PLAN.minutes(PLAN.searched_settings, PLAN.trials_of_worker, attempt),
        params:
            tuning=TUNING.as_json(),
            journal=PATHS.journal,
            device=STUDY.file.device,
        shell:
            # exec, as in rule train, for what still gives its trial back
            "exec zipo study tune-worker --tuning {params.tuning:q} --data {input.data:q} --journal {params.journal:q} "
            "--target {output:q} --device {params.device} --threads {threads} {input.code:q} > {log:q} 2>&1"

    rule tune_summary:
        input:
            workers=map(PATHS.worker, range(1, TUNING.workers + 1)),
            code=code_of("tune-summary"),
        output:
            parquet=PATHS.table("trials"),
            tsv=PATHS.file("trials.tsv"),
            best=PATHS.file("best.yaml"),
            history=PATHS.figure("png", "tuning-history"),
            importances=PATHS.figure("png", "tuning-importances"),
            rest=expand(PATHS.figure("{kind}", "tuning-{name}"), name=["history", "importances"], kind=["pdf", "tsv"]),
        log:
            f"{RESULTS}/logs/tune/summary.log",
        benchmark:
            f"{RESULTS}/benchmarks/tune/summary.tsv"
        localrule: True
        conda:
            "../../envs/zipo.yaml"
        params:
            study=STUDY.file.study,
            tuning=TUNING.as_json(),
            journal=PATHS.journal,
            pictures=lambda w, output: output.history.removesuffix("-history.png"),
        shell:
            "zipo study tune-summary --study {params.study} --tuning {params.tuning:q} --journal {params.journal:q} "
            "--search {input.workers[0]:q} --parquet {output.parquet:q} --tsv {output.tsv:q} --best {output.best:q} "
            "--pictures {params.pictures:q} 2> {log:q}"
