"""The engine's public face: commands on `Engine`, reads in `queries`, errors in `errors`. It knows no policy and no
Flask."""

from engine import errors, queries
from engine.calendar import Calendar
from engine.checkpoints import SigningKey
from engine.clock import Ticker
from engine.db import Database
from engine.deployment import Deployment
from engine.evidence import verify
from engine.identity import Directory, Person, Unit, save_directory, set_status
from engine.migrations import migrate
from engine.moments import Clock, SystemClock
from engine.operations import ExternalContext, OperationContext, Operations
from engine.registers import Readers, Registers
from engine.replay import replay
from engine.runtime import Engine, Result
from engine.schedules import Planning, Schedule
from engine.settings import read_setting, write_setting
from engine.signer import Signer
from engine.spiff.control import Control, Station, TableControl
from engine.spiff.gate import House, Problem, check

__all__ = [
    "Calendar",
    "Clock",
    "Control",
    "Database",
    "Deployment",
    "Directory",
    "Engine",
    "ExternalContext",
    "House",
    "OperationContext",
    "Operations",
    "Person",
    "Planning",
    "Problem",
    "Readers",
    "Registers",
    "Result",
    "Schedule",
    "Signer",
    "SigningKey",
    "Station",
    "SystemClock",
    "TableControl",
    "Ticker",
    "Unit",
    "check",
    "errors",
    "migrate",
    "queries",
    "read_setting",
    "replay",
    "save_directory",
    "set_status",
    "verify",
    "write_setting",
]
