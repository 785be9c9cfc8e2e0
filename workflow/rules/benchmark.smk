# Methods compared: each denoises the training molecules of each data set in an environment and a process of its own.
# What goes wrong with a method is a status in its result.json and a line of the leaderboard, never a failing job.
from zipo.benchmark.running.environment import pins_of


rule environment:
    input:
        lambda w: [os.path.relpath(pins) for pins in pins_of(w.environment)],
    output:
        environment_file(),
    log:
        f"{ENVIRONMENTS}/{{environment}}.log",
    benchmark:
        f"{ENVIRONMENTS}/{{environment}}.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/{environment}.yaml"
    params:
        folder=lambda w, output: os.path.dirname(output[0]),
        # conda has made it: its Python is noted where that of a venv would be
        command=lambda w, output: (
            f'mkdir -p "{os.path.dirname(output[0])}/bin" && '
            f'ln -sf "$(command -v python)" "{os.path.dirname(output[0])}/bin/python" && '
            f'echo \'{{"status": "ok", "reason": "", "pins": "conda"}}\' > "{output[0]}"'
            if CONDA
            else f'zipo study method-environment {w.environment} "{os.path.dirname(output[0])}"'
        ),
    shell:
        "( {params.command} ) 2> {log:q}"


rule molecules:
    input:
        data=PATHS.data(),
        code=code_of("molecules"),
    output:
        training=PATHS.counts(counts="{molecules}-{split}"),
        held_out=PATHS.held_out(counts="{molecules}-{split}"),
    log:
        f"{RESULTS}/logs/molecules/{{dataset}}-{{molecules}}-{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/molecules/{{dataset}}-{{molecules}}-{{split}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        share=lambda w: BENCHMARK.share_of(w.molecules),
    shell:
        "zipo study molecules --data {input.data:q} --training {output.training:q} --held-out {output.held_out:q} "
        "--share {params.share} --seed {wildcards.split} 2> {log:q}"


rule permute:
    input:
        data=PATHS.counts(counts="split-{split}"),
        code=code_of("permute"),
    output:
        PATHS.counts(counts="permuted-{split}"),
    log:
        f"{RESULTS}/logs/permute/{{dataset}}-{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/permute/{{dataset}}-{{split}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study permute --data {input.data:q} --target {output:q} --seed {wildcards.split} 2> {log:q}"


rule rarefy:
    input:
        data=PATHS.counts(counts="split-{split}"),
        code=code_of("rarefy"),
    output:
        PATHS.counts(counts="rare-{split}"),
    log:
        f"{RESULTS}/logs/rarefy/{{dataset}}-{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rarefy/{{dataset}}-{{split}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        cell_type=lambda w: BENCHMARK.benchmark.rare[w.dataset],
    shell:
        "zipo study rarefy --data {input.data:q} --target {output:q} --cell-type {params.cell_type:q} "
        "--seed {wildcards.split} 2> {log:q}"


rule denoise:
    input:
        counts=PATHS.counts(),
        environment=lambda w: BENCHMARK.environment_files(w.row),
        code=lambda w: code_of("run-method", *BENCHMARK.code_modules(w.row)),
    output:
        result_of(PATHS.method_run()),
    log:
        f"{RESULTS}/logs/denoise/{{row}}/{{dataset}}/{{counts}}-seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/denoise/{{row}}/{{dataset}}/{{counts}}-seed-{{seed}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    threads: BENCHMARK.benchmark.threads
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
        runtime=BENCHMARK.benchmark.minutes,
    params:
        method=lambda w: BENCHMARK.rows[w.row].method.name,
        parameters=lambda w: json.dumps(BENCHMARK.rows[w.row].parameters),
        folder=lambda w, output: os.path.dirname(output[0]),
        seconds=BENCHMARK.benchmark.seconds,
        # so that runs are repeated on another number, which Snakemake's own threads do not bring about
        threads=BENCHMARK.benchmark.threads,
        environments=ENVIRONMENTS,
    shell:
        # exec, so that a cancelled job takes the method along
        "exec zipo study run-method {params.method} {params.parameters:q} {input.counts:q} {params.folder:q} "
        "{wildcards.seed} {threads} {params.seconds} --environments {params.environments:q} 2> {log:q}"


rule scores:
    input:
        files=lambda w: files_of_runs(BENCHMARK.runs(w.row, w.dataset)),
        other_donors=lambda w: BENCHMARK.other_donors(w.dataset),
        code=code_of("scores", *submodules("zipo.metrics")),
    output:
        PATHS.scores(),
    log:
        f"{RESULTS}/logs/scores/{{row}}/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores/{{row}}/{{dataset}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: PLAN.within_limit(30 * attempt),
    params:
        row=lambda w: json.dumps(
            {
                "study": STUDY.file.study,
                "dataset": w.dataset,
                "method": w.row,
                "other_donors": "".join(BENCHMARK.other_donors(w.dataset)),
            }
        ),
        runs=lambda w: runs_as_json(BENCHMARK.runs(w.row, w.dataset)),
    shell:
        "zipo study scores --row {params.row:q} --runs {params.runs:q} --target {output:q} 2> {log:q}"


rule scores_table:
    input:
        scores=BENCHMARK.score_files,
        code=code_of("scores-table"),
    output:
        parquet=PATHS.table("scores"),
        tsv=PATHS.file("scores.tsv"),
    log:
        f"{RESULTS}/logs/scores-table.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores-table.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study scores-table --parquet {output.parquet:q} --tsv {output.tsv:q} {input.scores:q} 2> {log:q}"


rule leaderboard:
    input:
        scores=lambda w: inputs_of_target("leaderboard"),
        code=code_of("leaderboard", *submodules("zipo.metrics")),
    output:
        parquet=PATHS.table("leaderboard"),
        tsv=PATHS.file("leaderboard.tsv"),
        ranks=PATHS.file("ranks.tsv"),
        facts=PATHS.file("leaderboard.json"),
        page=report(
            PATHS.file("leaderboard.html"),
            caption="../report/leaderboard.rst",
            category="3 Benchmark",
            labels={"page": "Which method for what"},
        ),
    log:
        f"{RESULTS}/logs/leaderboard.log",
    benchmark:
        f"{RESULTS}/benchmarks/leaderboard.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        benchmark=as_it_is(facts.LeaderboardFacts.of(STUDY, BENCHMARK.benchmark, BENCHMARK.rows).as_json()),
    shell:
        "zipo study leaderboard --benchmark {params.benchmark:q} --scores {input.scores:q} "
        "--parquet {output.parquet:q} --tsv {output.tsv:q} --ranks {output.ranks:q} --facts {output.facts:q} "
        "--page {output.page:q} 2> {log:q}"


rule benchmark_views:
    input:
        files=files_of_runs(BENCHMARK.first_runs),
        code=code_of("benchmark-views"),
    output:
        zeros=PATHS.table("zeros"),
        places=PATHS.table("places"),
    log:
        f"{RESULTS}/logs/benchmark-views.log",
    benchmark:
        f"{RESULTS}/benchmarks/benchmark-views.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: PLAN.within_limit(30 * attempt),
    params:
        runs=runs_as_json(BENCHMARK.first_runs),
    shell:
        "zipo study benchmark-views --zeros {output.zeros:q} --places {output.places:q} --runs {params.runs:q} 2> {log:q}"
