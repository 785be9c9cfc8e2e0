"""The results of gpu.py as Markdown."""

FORMS = {
    "engine": "engine",
    "engine_dense": "engine, without the likelihood's kernel",
    "engine_compiled": "engine, compiled",
    "plain": "plain PyTorch, batches from the host",
    "plain_resident": "plain PyTorch",
    "plain_compiled": "plain PyTorch, compiled",
}


def markdown(results: dict) -> str:
    """All tables, with what failed in its place."""
    parts = results["parts"]
    lines = [*about(results), *checks(parts), *speed(parts), *seeds(parts), *failures(parts)]
    return "\n".join(lines) + "\n"


def about(results: dict) -> list[str]:
    facts = next((part["about"] for part in results["parts"] if "about" in part), {})
    lines = ["# The engine on a GPU" if results["device"] == "cuda" else "# A trial on a processor", ""]
    if results["small"]:
        lines += ["Sizes of a trial: the speeds mean nothing.", ""]
    return [*lines, ", ".join(f"{name} {fact}" for name, fact in facts.items() if fact is not None), ""]


def checks(parts: list[dict]) -> list[str]:
    """For each kind of check how many hold, the largest deviation beside its bound, and each that does not hold."""
    chosen = [part for part in parts if part["section"] == "checks"]
    if not chosen:
        return []
    lines = ["## Checks", "", "| check | hold | largest deviation of its bound |", "|---|---|---|"]
    wrong = []
    for part in chosen:
        rows = [row for row in part.get("rows", []) if "skipped" not in row]
        hold = sum(row["ok"] for row in rows)
        shares = [row["deviation"] / row["bound"] for row in rows if row.get("bound")]
        text = f"{max(shares):.2g}" if shares else ""
        reason = next((row["skipped"] for row in part.get("rows", []) if "skipped" in row), part.get("failed", ""))
        lines.append(f"| {part['name']} | {f'{hold} of {len(rows)}' if rows else 'not run: ' + reason} | {text} |")
        for row in rows:
            if not row["ok"]:
                why = row.get("failed") or f"deviates by {row['deviation']:.2g}, bound {row['bound']:.2g}"
                wrong.append(f"- **{row['check']}**: {why}")
    return [*lines, "", *wrong, *[""] * bool(wrong)]


def limit(row: dict, rates: dict[str, float]) -> float:
    """The most cells a second that the device's rates allow."""
    operations, traffic = rates[row["precision"]], rates["traffic"]
    least = sum(max(part["operations"] / operations, part["traffic"] / traffic) for part in row["parts"])
    return row["batch_size"] / least


def speed(parts: list[dict]) -> list[str]:
    """Cells a second, times those of plain PyTorch in the same precision, share of the limit, and memory."""
    rows = [row for part in parts if part["section"] == "speed" for row in part.get("rows", [])]
    rates = next((part["rates"] for part in parts if "rates" in part), None)
    if not rows:
        return []
    lines = ["## Speed", ""]
    if rates:
        products = ", ".join(f"{rates[name] / 1e12:.3g} in {name}" for name in ("float32", "tf32", "bfloat16"))
        lines += [f"Products: TFLOP/s {products}; copies: {rates['traffic'] / 1e9:.3g} GB/s.", ""]
    lines += [
        "| shape | engine | precision | cells/s | times plain | of the limit | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    plain = {(row["shape"], row["precision"]): row for row in rows if row["engine"] == "plain_resident"}
    for row in rows:
        start = f"| {row['shape']} | {FORMS[row['engine']]} | {row['precision']} |"
        if "failed" in row:
            lines.append(f"{start} not run: {row['failed'].splitlines()[0]} | | | |")
            continue
        beside = plain.get((row["shape"], row["precision"]), {}).get("cells_per_second")
        times = f"{row['cells_per_second'] / beside:.2f}" if beside else ""
        share = f"{100 * row['cells_per_second'] / limit(row, rates):.0f} %" if rates else ""
        peak = f"{row['peak_mb']:.0f}" if row["peak_mb"] else ""
        lines.append(f"{start} {row['cells_per_second']:.0f} | {times} | {share} | {peak} |")
    return [*lines, ""]


def seeds(parts: list[dict]) -> list[str]:
    """Cells a second of all seeds together, and times those of one."""
    rows = [row for part in parts if part["section"] == "seeds" for row in part.get("rows", [])]
    if not rows:
        return []
    lines = ["## Seeds side by side", "", "| shape | way | seeds | cells/s, all | times one |", "|---|---|---|---|---|"]
    alone = {(row["shape"], row["way"]): row["cells_per_second"] for row in rows if row["seeds"] == 1}
    for row in rows:
        one = alone.get((row["shape"], row["way"]))
        way = f"{row['way']}{' under MPS' if row['mps'] and row['way'] == 'processes' else ''}"
        times = f"{row['cells_per_second'] / one:.2f}" if one else ""
        lines.append(f"| {row['shape']} | {way} | {row['seeds']} | {row['cells_per_second']:.0f} | {times} |")
    return [*lines, ""]


def failures(parts: list[dict]) -> list[str]:
    failed = [part for part in parts if "failed" in part]
    if not failed:
        return []
    return ["## Not run", "", *(f"- {part['section']}, {part['name']}: {part['failed']}" for part in failed), ""]
