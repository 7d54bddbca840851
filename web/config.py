"""Every setting, all from the environment as GUIJU_…; nothing secret has a default outside the demo."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from engine.errors import GuijuError
from processes.complaint.mail.settings import MailSettings

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class ConfigError(GuijuError):
    """A setting is missing or cannot be understood; the server does not start."""

    code = "config"


@dataclass(frozen=True, kw_only=True)
class Config:
    """How one server runs. `public_url` decides whether cookies are Secure and which host names are answered."""

    database_url: str = "sqlite:///var/guiju.db"
    secret_key: str
    demo: bool = False
    public_url: str = "http://127.0.0.1:8000"
    trusted_hosts: tuple[str, ...] = LOCAL_HOSTS
    metrics_token: str = ""
    proxies: int = 0  # reverse proxies in front, whose X-Forwarded-… headers are believed
    seal_key: str = ""
    personal_key: str = ""  # several while they are being changed, the newest first, separated by commas
    mail: MailSettings | None = None
    audit_database_url: str = ""
    signing_key: str = ""  # a file, outside the database
    checkpoint_folder: str = ""
    checkpoint_url: str = ""
    outgoing_hosts: tuple[str, ...] = ()  # what the server itself may call
    report_rate: str = "6 per minute; 60 per hour"
    session_idle: timedelta = timedelta(hours=8)
    session_life: timedelta = timedelta(hours=24)
    login_rate: str = "10 per minute; 60 per hour"
    max_body: int = 1_000_000

    @property
    def https(self) -> bool:
        """Whether browsers reach the server by https, so that cookies may be Secure and `__Host-`."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, demo: bool = False) -> Config:
        """Read GUIJU_…; `demo` allows a secret that lasts until the server stops."""
        demo = demo or environment.get("GUIJU_DEMO", "") == "1"
        secret = environment.get("GUIJU_SECRET_KEY", "")
        if len(secret) < 32:
            if secret or not demo:
                raise ConfigError(
                    "secret_key_missing",
                    text={
                        "zh-CN": "GUIJU_SECRET_KEY 未设置或不足 32 个字符，可用 {recipe} 生成",
                        "en": "GUIJU_SECRET_KEY is missing or shorter than 32 characters; make one with {recipe}",
                    },
                    recipe="python3 -c 'import secrets; print(secrets.token_hex(32))'",
                )
            secret = secrets.token_hex(32)
        here = f"http://127.0.0.1:{environment.get('PORT', '8000')}"
        public_url = environment.get("GUIJU_PUBLIC_URL", here).rstrip("/")
        named = _names(environment, "GUIJU_TRUSTED_HOSTS")
        host = urlsplit(public_url).hostname or "127.0.0.1"
        return cls(
            database_url=environment.get("GUIJU_DATABASE_URL", cls.database_url),
            secret_key=secret,
            demo=demo,
            public_url=public_url,
            trusted_hosts=tuple(dict.fromkeys([*named, host, *LOCAL_HOSTS])),
            seal_key=environment.get("GUIJU_SEAL_KEY", ""),
            personal_key=environment.get("GUIJU_PERSONAL_KEY", ""),
            audit_database_url=environment.get("GUIJU_AUDIT_DATABASE_URL", ""),
            signing_key=environment.get("GUIJU_SIGNING_KEY", ""),
            checkpoint_folder=environment.get("GUIJU_CHECKPOINT_FOLDER", ""),
            checkpoint_url=environment.get("GUIJU_CHECKPOINT_URL", ""),
            outgoing_hosts=_names(environment, "GUIJU_OUTGOING_HOSTS"),
            report_rate=environment.get("GUIJU_REPORT_RATE", cls.report_rate),
            mail=MailSettings.from_environment(environment, public_url),
            metrics_token=environment.get("GUIJU_METRICS_TOKEN", ""),
            proxies=_count(environment, "GUIJU_PROXIES"),
            session_idle=_minutes(environment, "GUIJU_SESSION_IDLE_MINUTES", cls.session_idle),
            session_life=_minutes(environment, "GUIJU_SESSION_LIFE_MINUTES", cls.session_life),
            login_rate=environment.get("GUIJU_LOGIN_RATE", cls.login_rate),
        )


def _names(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(host.strip() for host in environment.get(name, "").split(",") if host.strip())


def _count(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name, "0")
    if not text.isdigit() or int(text) > 9:
        raise ConfigError(
            "setting_invalid",
            text={"zh-CN": "{name} 须是 0 到 9 的整数", "en": "{name} must be a whole number from 0 to 9"},
            name=name,
        )
    return int(text)


def _minutes(environment: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not 0 < int(text) <= 60 * 24 * 30:
        raise ConfigError(
            "setting_invalid",
            text={"zh-CN": "{name} 须是分钟数", "en": "{name} must be a number of minutes"},
            name=name,
        )
    return timedelta(minutes=int(text))
