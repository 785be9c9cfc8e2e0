"""Logger plugin of Snakemake, `--logger progress`: a workflow's progress as one line, and errors in full.

On a terminal the line is drawn over itself each second; in a log it is written every half a minute. With --verbose,
--printshellcmds or --dry-run everything is shown as Snakemake does by itself.
"""

import logging
import shutil
import sys
import threading
import time
from typing import Any

from snakemake.logging import show_logs
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_progress.progress import Progress, count, duration

LIVE, SELDOM = 1.0, 30.0
"""Seconds between two lines on a terminal, and in a log."""
CLEAR = "\r\x1b[K"
NOTHING = "Nothing to be done"
"""Beginning of what Snakemake says where all files are up to date."""

EXIT_CODE = "RuleException:\nCalledProcessError"
"""Beginning of a record that repeats the command of a failed job, whose own record, with its log, comes after."""


class LogHandler(LogHandlerBase):
    """Handler of Snakemake's log records."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        self._plain = settings.dryrun or settings.verbose or settings.printshellcmds or settings.debug_dag
        self._stream = sys.stdout if settings.stdout else sys.stderr
        self._live = self._stream.isatty()
        self._progress = Progress()
        self._cores = 0
        self._since = time.monotonic()
        self._last = ""
        self._ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or take note of it for the line of progress."""
        if self._plain:
            self._stream.write(f"{self.format(record)}\n")
            self._stream.flush()
            return
        event, fields = getattr(record, "event", None), record.__dict__
        now = time.monotonic()
        match event:
            case LogEvent.RESOURCES_INFO:
                self._cores = fields.get("cores") or self._cores
            case LogEvent.RUN_INFO:
                self._begin({rule: number for rule, number in fields["stats"].items() if rule != "total"})
            case LogEvent.JOB_INFO:
                self._progress.start(fields["jobid"], fields["rule_name"], dict(fields["wildcards"]), now)
            case LogEvent.JOB_FINISHED:
                self._progress.finish(fields["job_id"], now)
            case LogEvent.ERROR if str(record.msg).startswith(EXIT_CODE):
                pass
            case LogEvent.JOB_ERROR:
                self._show_error(fields)
            case _ if record.levelno >= logging.WARNING or getattr(record, "about_study", False):
                self._write(self.format(record))
            case None if str(record.msg).startswith(NOTHING):
                self._write(self.format(record))

    def close(self) -> None:
        """Write what came of the workflow; Snakemake calls it once at the end."""
        if not self._ended.is_set():
            self._ended.set()
            progress = self._progress
            if progress.failed:
                logs = "".join(f"\n    {log}" for log in progress.failed.values() if log)
                self._write(f"{count(len(progress.failed), 'job')} failed{'; logs:' if logs else ''}{logs}")
            if progress.total:
                took = duration(time.monotonic() - self._since)
                self._write(f"{progress.done} of {count(progress.total, 'job')} done in {took}")
        super().close()

    def _begin(self, jobs: dict[str, int]) -> None:
        """Take the plan, write how much there is to do, and keep the line of progress up to date from now on."""
        self._progress.plan(jobs)
        self._since = time.monotonic()
        most = sorted(jobs.items(), key=lambda job: -job[1])
        rules = ", ".join(f"{number} {rule}" for rule, number in most if number > 1)
        where = f" on {count(self._cores, 'core')}" if self._cores else ""
        self._write(f"{count(self._progress.total, 'job')}{where}{f', of them {rules}' if rules else ''}")
        threading.Thread(target=self._keep_drawing, daemon=True).start()

    def _keep_drawing(self) -> None:
        while not self._ended.wait(LIVE if self._live else SELDOM):
            self.acquire()
            try:
                self._draw()
            finally:
                self.release()

    def _draw(self) -> None:
        if self._ended.is_set():
            return
        line = self._progress.line(self._since, time.monotonic())
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._last = line[:width]
            self._stream.write(f"{CLEAR}{self._last}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def _show_error(self, fields: dict[str, Any]) -> None:
        """Write which job failed and where its log is, and the log itself."""
        logs = list(fields["log"])
        name = self._progress.fail(fields["jobid"], ", ".join(logs))
        text = f"Error in {name} (rule {fields['rule_name']})"
        text += f": {fields['rule_msg']}" if fields["rule_msg"] else ""
        text += "".join(f"\n    {key}: {value}" for key, value in fields["aux"].items())
        self._write("\n".join([text, *show_logs(logs)] if logs else [text, f"    command: {fields['shellcmd']}"]))

    def _write(self, text: str) -> None:
        """Write lines that stay, in place of the line of progress, which comes back below."""
        self._stream.write(f"{CLEAR if self._live else ''}{text}\n{self._last if self._live else ''}")
        self._stream.flush()
