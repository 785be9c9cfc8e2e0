# Methods compared: each denoises the training molecules of each data set in an environment and a process of its own.
# What goes wrong with a method is a status in its result.json and a line of the leaderboard, never a failing job.


rule environment:
    input:
        lambda w: [pins for pins in [os.path.relpath(ROOT / "envs" / f"{w.environment}.txt")] if os.path.exists(pins)],
    output:
        f"{ENVIRONMENTS}/{{environment}}/environment.json",
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
        data=lambda w: data_of(w.dataset),
        code=code("zipo.datasets.thinning", "zipo.datasets.formats.h5ad"),
    output:
        training=f"{RESULTS}/benchmark/data/{{dataset}}/split-{{split}}.h5ad",
        held_out=f"{RESULTS}/benchmark/data/{{dataset}}/held-out-{{split}}.npz",
    log:
        f"{RESULTS}/logs/molecules/{{dataset}}-{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/molecules/{{dataset}}-{{split}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        share=BENCHMARK and BENCHMARK.share,
    shell:
        "zipo study molecules --data {input.data:q} --training {output.training:q} --held-out {output.held_out:q} "
        "--share {params.share} --seed {wildcards.split} 2> {log:q}"


rule permute:
    input:
        data=f"{RESULTS}/benchmark/data/{{dataset}}/split-{{split}}.h5ad",
        code=code("zipo.metrics.shared.permutation", "zipo.datasets.formats.h5ad"),
    output:
        f"{RESULTS}/benchmark/data/{{dataset}}/permuted-{{split}}.h5ad",
    log:
        f"{RESULTS}/logs/permute/{{dataset}}-{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/permute/{{dataset}}-{{split}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study permute --data {input.data:q} --target {output:q} --seed {wildcards.split} 2> {log:q}"


rule denoise:
    input:
        counts=f"{RESULTS}/benchmark/data/{{dataset}}/{{counts}}.h5ad",
        environment=environment_of,
        code=method_code,
    output:
        f"{RESULTS}/benchmark/runs/{{row}}/{{dataset}}/{{counts}}-seed-{{seed}}/result.json",
    log:
        f"{RESULTS}/logs/denoise/{{row}}/{{dataset}}/{{counts}}-seed-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/denoise/{{row}}/{{dataset}}/{{counts}}-seed-{{seed}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    threads: BENCHMARK.threads if BENCHMARK else 1
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
        runtime=BENCHMARK.minutes if BENCHMARK else 10,
    params:
        method=lambda w: ROWS[w.row].method.name,
        parameters=lambda w: json.dumps(ROWS[w.row].parameters),
        folder=lambda w, output: os.path.dirname(output[0]),
        seconds=BENCHMARK and BENCHMARK.seconds,
        environments=ENVIRONMENTS,
    shell:
        # exec, so that a cancelled job takes the method along
        "exec zipo study run-method {params.method} {params.parameters:q} {input.counts:q} {params.folder:q} "
        "{wildcards.seed} {threads} {params.seconds} --environments {params.environments:q} 2> {log:q}"


rule scores:
    input:
        files=lambda w: files_of(runs_of(w.row, w.dataset)),
        code=code("zipo.benchmark.scores", *submodules("zipo.metrics")),
    output:
        f"{RESULTS}/benchmark/scores/{{row}}/{{dataset}}.parquet",
    log:
        f"{RESULTS}/logs/scores/{{row}}/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores/{{row}}/{{dataset}}.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: within_limit(30 * attempt),
    params:
        row=lambda w: json.dumps(
            {"study": STUDY.file.study, "dataset": w.dataset, "method": w.row, "share": BENCHMARK.share}
        ),
        runs=lambda w: json.dumps(runs_of(w.row, w.dataset)),
    shell:
        "zipo study scores --row {params.row:q} --runs {params.runs:q} --target {output:q} 2> {log:q}"


rule scores_table:
    input:
        [f"{RESULTS}/benchmark/scores/{row}/{dataset}.parquet" for row, dataset in compared()],
    output:
        parquet=f"{RESULTS}/scores.parquet",
        tsv=f"{RESULTS}/scores.tsv",
    log:
        f"{RESULTS}/logs/scores-table.log",
    benchmark:
        f"{RESULTS}/benchmarks/scores-table.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study scores-table --parquet {output.parquet:q} --tsv {output.tsv:q} {input:q} 2> {log:q}"


rule leaderboard:
    input:
        scores=lambda w: f"{RESULTS}/scores.parquet" if ROWS else refuse("leaderboard", "benchmark"),
        code=code("zipo.benchmark.leaderboard", "zipo.benchmark.page", *submodules("zipo.metrics")),
    output:
        parquet=f"{RESULTS}/leaderboard.parquet",
        tsv=f"{RESULTS}/leaderboard.tsv",
        page=report(
            f"{RESULTS}/leaderboard.html",
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
        benchmark=json.dumps(COMPARED),
    shell:
        "zipo study leaderboard --benchmark {params.benchmark:q} --scores {input.scores:q} "
        "--parquet {output.parquet:q} --tsv {output.tsv:q} --page {output.page:q} 2> {log:q}"


rule benchmark_views:
    input:
        files=files_of(shown()),
        code=code("zipo.benchmark.views"),
    output:
        zeros=f"{RESULTS}/zeros.parquet",
        places=f"{RESULTS}/places.parquet",
    log:
        f"{RESULTS}/logs/benchmark-views.log",
    benchmark:
        f"{RESULTS}/benchmarks/benchmark-views.tsv"
    conda:
        "../../envs/zipo.yaml"
    resources:
        runtime=lambda w, attempt: within_limit(30 * attempt),
    params:
        runs=json.dumps(shown()),
    shell:
        "zipo study benchmark-views --zeros {output.zeros:q} --places {output.places:q} --runs {params.runs:q} 2> {log:q}"
