"""The settings, read in processes of their own with environments of their own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from django.conf import settings

SERVER = {
    "SECRET_KEY": "a-key-of-fifty-characters-or-more-0123456789-abcdefghij-klm",
    "DATABASE_URL": "postgresql://app:word@127.0.0.1:1/app",
    "REDIS_URL": "redis://:word@127.0.0.1:1/0",
}


def manage(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing but this environment."""
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def value(name: str, environment: dict[str, str]) -> str:
    """Return one setting, as text."""
    code = f"from django.conf import settings; print(settings.{name})"
    return manage(["shell", "--no-imports", "-c", code], environment).stdout.strip()


class SettingsTests(TestCase):
    """What the environment changes."""

    def test_files_win_over_values(self) -> None:
        """NAME_FILE names a file that holds the value, without its line end."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            path.write_text("from-a-file\n")
            environment = SERVER | {"SECRET_KEY_FILE": str(path)}
            self.assertEqual(value("SECRET_KEY", environment), "from-a-file")

    def test_lists_are_split_at_commas(self) -> None:
        """Spaces and empty parts do not count."""
        environment = {"ALLOWED_HOSTS": "a.example, b.example,"}
        self.assertEqual(value("ALLOWED_HOSTS", environment), "['a.example', 'b.example']")

    def test_a_server_needs_a_key(self) -> None:
        """With a database server and no key the project does not start, and says what to set."""
        finished = manage(["check"], {"DATABASE_URL": SERVER["DATABASE_URL"]})
        self.assertNotEqual(finished.returncode, 0)
        self.assertIn("Set SECRET_KEY or SECRET_KEY_FILE", finished.stderr)

    def test_deployment_checks_pass_with_https(self) -> None:
        """Django's own list for servers finds nothing once TLS is there."""
        finished = manage(["check", "--deploy", "--fail-level", "INFO"], SERVER | {"HTTPS_ONLY": "true"})
        self.assertEqual(finished.returncode, 0, finished.stderr)

    def test_deployment_checks_miss_only_what_tls_brings(self) -> None:
        """Without TLS they name HSTS, the redirect and the two cookies, nothing else."""
        finished = manage(["check", "--deploy"], SERVER)
        named = {word.strip("()?:") for word in finished.stderr.split() if "security." in word}
        self.assertEqual(named, {"security.W004", "security.W008", "security.W012", "security.W016"})

    def test_static_files_need_no_database(self) -> None:
        """Collecting them works where neither database nor cache can be reached."""
        finished = manage(["collectstatic", "--noinput", "--dry-run"], SERVER)
        self.assertEqual(finished.returncode, 0, finished.stderr)

    def test_migrations_are_complete(self) -> None:
        """The models are what the migrations say."""
        finished = manage(["makemigrations", "--check", "--dry-run"], {})
        self.assertEqual(finished.returncode, 0, finished.stdout)
