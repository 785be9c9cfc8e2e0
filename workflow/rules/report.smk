# The report: a page for each figure, the claims, and the pages below, in one file that opens offline.


rule provenance:
    input:
        runs=PATHS.table("runs"),
        code=code_of("provenance"),
    output:
        PATHS.file("provenance.tsv"),
    log:
        f"{RESULTS}/logs/provenance.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    shell:
        "zipo study provenance --runs {input.runs:q} --target {output:q} 2> {log:q}"


rule page:
    input:
        sources=lambda w: PLAN.pages[w.page].sources,
        code=code_of("page"),
    output:
        report(
            PATHS.page(),
            caption="../report/page.rst",
            category=lambda w: PLAN.pages[w.page].category,
            labels=lambda w: {"page": PLAN.pages[w.page].title},
        ),
    log:
        f"{RESULTS}/logs/pages/{{page}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pages/{{page}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        title=lambda w: PLAN.pages[w.page].title,
        caption=lambda w: PLAN.pages[w.page].caption,
    shell:
        "zipo study page --target {output:q} --title {params.title:q} --caption {params.caption:q} {input.sources:q} 2> {log:q}"


rule configuration:
    output:
        PATHS.file("config.yaml"),
    log:
        f"{RESULTS}/logs/configuration.log",
    benchmark:
        f"{RESULTS}/benchmarks/configuration.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        resolved=as_it_is(resolved(STUDY.file)),
    shell:
        "printf %s {params.resolved:q} > {output:q} 2> {log:q}"


rule front:
    input:
        files=PLAN.front_files,
        code=code_of("front", *(PLAN.figures[name].__name__ for name in PLAN.figures)),
    output:
        PATHS.file("front.html"),
    log:
        f"{RESULTS}/logs/front.log",
    benchmark:
        f"{RESULTS}/benchmarks/front.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        results=lambda w, output: os.path.dirname(output[0]),
        figures=",".join(PLAN.figures),
    shell:
        "zipo study front --results {params.results:q} --figures {params.figures:q} --target {output:q} {input.files:q} 2> {log:q}"


rule report:
    input:
        pages=PLAN.report_files,
        front=PATHS.file("front.html"),
        stylesheet=os.path.relpath(ROOT / "workflow" / "report" / "report.css"),
        configuration=PATHS.file("config.yaml"),
    output:
        PATHS.file("report.html"),
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        snakefile=os.path.relpath(ROOT / "Snakefile"),
    shell:
        # a second Snakemake reads this run's records; it starts no job, so it needs no lock
        '"$ZIPO_PYTHON" -m snakemake --nolock --snakefile {params.snakefile:q} --configfile {input.configuration:q} '
        "--report {output:q} --report-stylesheet {input.stylesheet:q} -- {input.pages:q} > {log:q} 2>&1"
