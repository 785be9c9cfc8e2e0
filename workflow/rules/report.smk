# The report: a page for each figure, the claims, and the pages below, in one file that opens offline.

# the report sorts categories by name, hence their numbers
PAGES = {
    "table-1": {
        "sources": [f"{RESULTS}/table-1.tsv"],
        "category": "5 Data sets",
        "title": "Table I: the data sets",
        "caption": "Cells, genes, share of nonzero counts and median library size of each data set, before and after "
        "filters; beside them the paper's Table I, and a remark where the two differ.",
    },
    "open-questions": {
        "sources": [os.path.relpath(ROOT / "docs" / "open-questions.rst")],
        "category": "6 Study",
        "title": "What the paper leaves open",
        "caption": "Each choice is a key of the configuration; the other readings are its other values.",
    },
}
if SETTINGS:
    PAGES["provenance"] = {
        "sources": [f"{RESULTS}/provenance.tsv"],
        "category": "6 Study",
        "title": "Hardware, versions and cost",
        "caption": "What the runs of this study ran on, with which versions and commit of the code, and what they cost.",
    }
if TUNING:
    PAGES["tuning"] = {
        "sources": [
            f"{RESULTS}/figures/tuning-history.png",
            f"{RESULTS}/figures/tuning-importances.png",
            f"{RESULTS}/best.yaml",
            f"{RESULTS}/trials.tsv",
        ],
        "category": "4 Hyper-parameters",
        "title": "Search for hyper-parameters",
        "caption": "The validation NLL of every trial that came to its end, and the lowest so far (ticks at the bottom "
        "are trials that did not); how much of its variance over the trials each hyper-parameter explains, by functional "
        "analysis of variance as in Optuna, which is rough with few trials; the best trial, from which another "
        "experiment starts by base: and the path of best.yaml; and all trials. The search sees the validation NLL alone.",
    }


rule provenance:
    input:
        runs=f"{RESULTS}/runs.parquet",
        code=code("zipo.study.provenance"),
    output:
        f"{RESULTS}/provenance.tsv",
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
        sources=lambda w: PAGES[w.page]["sources"],
        code=code("zipo.shared.page"),
    output:
        report(
            f"{RESULTS}/pages/{{page}}.html",
            caption="../report/page.rst",
            category=lambda w: PAGES[w.page]["category"],
            labels=lambda w: {"page": PAGES[w.page]["title"]},
        ),
    log:
        f"{RESULTS}/logs/pages/{{page}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pages/{{page}}.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        title=lambda w: PAGES[w.page]["title"],
        caption=lambda w: PAGES[w.page]["caption"],
    shell:
        "zipo study page --target {output:q} --title {params.title:q} --caption {params.caption:q} {input.sources:q} 2> {log:q}"


rule configuration:
    output:
        f"{RESULTS}/config.yaml",
    log:
        f"{RESULTS}/logs/configuration.log",
    benchmark:
        f"{RESULTS}/benchmarks/configuration.tsv"
    localrule: True
    conda:
        "../../envs/zipo.yaml"
    params:
        resolved=resolved(STUDY.file),
    shell:
        "printf %s {params.resolved:q} > {output:q} 2> {log:q}"


rule report:
    input:
        pages=figure_files()
        + claims_files()
        + benchmark_files()[-1:]
        + expand(f"{RESULTS}/pages/{{page}}.html", page=PAGES),
        configuration=f"{RESULTS}/config.yaml",
    output:
        f"{RESULTS}/report.html",
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
        "--report {output:q} -- {input.pages:q} > {log:q} 2>&1"
