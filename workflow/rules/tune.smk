# The search for hyper-parameters: jobs share its trials through one journal, which is nobody's output, so that it
# outlives them all.

JOURNAL = f"{RESULTS}/tuning/trials.journal"

if TUNING:
    CHOICES = [
        Setting(TUNING.dataset, "zipo", parameters_of(TUNING.set.model_dump(exclude_unset=True) | {"encoder": e}, e))
        for e in TUNING.encoders
    ]

    rule tune_worker:
        input:
            data=data_of(TUNING.dataset),
            code=code("zipo.study.run"),
            search=code("zipo.study.search.worker"),
        output:
            f"{RESULTS}/tuning/worker-{{worker}}.txt",
        log:
            f"{RESULTS}/logs/tune/worker-{{worker}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/tune/worker-{{worker}}.tsv"
        retries: 2
        conda:
            "../../envs/zipo.yaml"
        threads: STUDY.file.threads
        resources:
            mem_mb=lambda w, attempt: growing(max(map(memory_of, CHOICES)), attempt),
            runtime=lambda w, attempt: within_limit(
                growing(
                    max(minutes_of(choice, math.ceil(TUNING.trials / TUNING.workers)) for choice in CHOICES), attempt
                )
            ),
        params:
            tuning=TUNING.as_json(),
            journal=JOURNAL,
            device=STUDY.file.device,
        shell:
            # exec, as in rule train, for what still gives its trial back
            "exec zipo study tune-worker --tuning {params.tuning:q} --data {input.data:q} --journal {params.journal:q} "
            "--target {output:q} --device {params.device} --threads {threads} {input.code:q} > {log:q} 2>&1"

    rule tune_summary:
        input:
            workers=expand(f"{RESULTS}/tuning/worker-{{worker}}.txt", worker=range(1, TUNING.workers + 1)),
            code=code("zipo.study.search.trials", "zipo.figures.shared.search"),
        output:
            parquet=f"{RESULTS}/trials.parquet",
            tsv=f"{RESULTS}/trials.tsv",
            best=f"{RESULTS}/best.yaml",
            history=f"{RESULTS}/figures/tuning-history.png",
            importances=f"{RESULTS}/figures/tuning-importances.png",
            rest=expand(
                f"{RESULTS}/figures/tuning-{{name}}.{{kind}}", name=["history", "importances"], kind=["pdf", "tsv"]
            ),
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
            journal=JOURNAL,
            pictures=lambda w, output: output.history.removesuffix("-history.png"),
        shell:
            "zipo study tune-summary --study {params.study} --tuning {params.tuning:q} --journal {params.journal:q} "
            "--search {input.workers[0]:q} --parquet {output.parquet:q} --tsv {output.tsv:q} --best {output.best:q} "
            "--pictures {params.pictures:q} 2> {log:q}"
