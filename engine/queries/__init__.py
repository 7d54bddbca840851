"""The reads: functions that return plain data. Each that a page may call takes `actor` and decides on the loaded
rows."""

from engine.queries.answered import answered
from engine.queries.attached import AttachmentRow, AttachmentView, attachment, attachment_rows, attachments_of
from engine.queries.catalogue import (
    IncidentRow,
    Inspection,
    OpenTask,
    ProcessRow,
    StartView,
    choices,
    deployed,
    groups_of,
    inspect,
    instance_of,
    open_incidents,
    person,
    start_form,
    startable,
)
from engine.queries.course import DiagramView, Entry, diagram
from engine.queries.doable import Doable, Running, doable, running
from engine.queries.inbox import counts, done, inbox, mark_read, started, told, unread
from engine.queries.recurring import Coming, coming
from engine.queries.registers import (
    Change,
    RegisterRow,
    RegisterView,
    may_open_register,
    register,
    register_export,
    register_row,
    register_rows_of,
)
from engine.queries.rows import CaseRow, Page, PersonRef, TaskRow
from engine.queries.views import CaseView, Decided, Record, TaskView, case, task

__all__ = [
    "AttachmentRow",
    "AttachmentView",
    "CaseRow",
    "CaseView",
    "Change",
    "Coming",
    "Decided",
    "DiagramView",
    "Doable",
    "Entry",
    "IncidentRow",
    "Inspection",
    "OpenTask",
    "Page",
    "PersonRef",
    "ProcessRow",
    "Record",
    "RegisterRow",
    "RegisterView",
    "Running",
    "StartView",
    "TaskRow",
    "TaskView",
    "answered",
    "attachment",
    "attachment_rows",
    "attachments_of",
    "case",
    "choices",
    "coming",
    "counts",
    "deployed",
    "diagram",
    "doable",
    "done",
    "groups_of",
    "inbox",
    "inspect",
    "instance_of",
    "mark_read",
    "may_open_register",
    "open_incidents",
    "person",
    "register",
    "register_export",
    "register_row",
    "register_rows_of",
    "running",
    "start_form",
    "startable",
    "started",
    "task",
    "told",
    "unread",
]
