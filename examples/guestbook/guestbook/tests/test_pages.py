"""The pages, with the static files collected as they are for a server."""

import shutil
import tempfile
from pathlib import Path
from unittest import mock

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError
from django.test import TestCase, override_settings
from redis.exceptions import ConnectionError as RedisConnectionError

from config.version import VERSION
from guestbook.models import Entry

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


class PageTestCase(TestCase):
    """A place of its own for static files and uploads."""

    @classmethod
    def setUpClass(cls) -> None:
        """Collect the static files."""
        super().setUpClass()
        folder = Path(tempfile.mkdtemp(prefix="guestbook-test-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.enterClassContext(override_settings(STATIC_ROOT=folder / "static", MEDIA_ROOT=folder / "media"))
        cls.media = folder / "media"
        call_command("collectstatic", interactive=False, verbosity=0)

    def setUp(self) -> None:
        """Start each test with an empty cache."""
        cache.clear()


class HomeTests(PageTestCase):
    """The page with the entries and the form."""

    def test_an_empty_book_says_so(self) -> None:
        """Without entries the page invites the first."""
        self.assertContains(self.client.get("/"), "Be the first to write in it")

    def test_an_entry_is_saved_and_shown(self) -> None:
        """A post saves a row, thanks, and the page shows it."""
        response = self.client.post("/", {"name": "Ada", "message": "Hello"}, follow=True)
        self.assertRedirects(response, "/")
        self.assertContains(response, "Thank you, Ada.")
        self.assertContains(response, '<dd id="entries">1</dd>')
        self.assertEqual(Entry.objects.get().message, "Hello")

    def test_what_a_visitor_writes_is_text(self) -> None:
        """Markup in a message is shown, not run."""
        Entry.objects.create(name="<b>x</b>", message="<script>alert(1)</script>")
        response = self.client.get("/")
        self.assertContains(response, "&lt;script&gt;alert(1)&lt;/script&gt;")
        self.assertNotContains(response, "<script>alert(1)")

    def test_errors_are_shown_beside_the_field(self) -> None:
        """A form with something missing saves nothing and says what."""
        response = self.client.post("/", {"name": "Ada", "message": ""})
        self.assertContains(response, "This field is required.", status_code=422)
        self.assertContains(response, 'value="Ada"', status_code=422)
        self.assertFalse(Entry.objects.exists())

    def test_static_names_carry_a_hash(self) -> None:
        """The page links the style sheet by a name that changes with its content."""
        self.assertRegex(self.client.get("/").content.decode(), r"/static/guestbook/style\.[0-9a-f]{12}\.css")

    def test_many_entries_come_in_pages(self) -> None:
        """Twenty entries make a page, newest first."""
        for number in range(21):
            Entry.objects.create(name=f"visitor {number}", message="hello")
        self.assertContains(self.client.get("/"), "Page 1 of 2")
        self.assertContains(self.client.get("/?page=2"), "visitor 0")
        self.assertEqual(self.client.get("/?page=many").status_code, 200)


class CounterTests(PageTestCase):
    """The number of visits."""

    def test_each_visit_counts(self) -> None:
        """Every view of the page adds one."""
        self.client.get("/")
        self.assertContains(self.client.get("/"), '<dd id="visits">2</dd>')

    def test_a_cache_that_does_not_answer_costs_only_the_number(self) -> None:
        """The page is served without a number, and the log says why."""
        failing = mock.patch("guestbook.counter.cache.incr", side_effect=RedisConnectionError)
        with failing, self.assertLogs("guestbook.counter", "WARNING"):
            self.assertContains(self.client.get("/"), '<dd id="visits">-</dd>')


class UploadTests(PageTestCase):
    """Pictures."""

    def post(self, name: str, content: bytes) -> Entry | None:
        """Send an entry with a file and return what was saved."""
        upload = SimpleUploadedFile(name, content)
        self.response = self.client.post("/", {"name": "Ada", "message": "Look", "picture": upload})
        return Entry.objects.first()

    def test_a_picture_is_kept_under_a_name_of_our_own(self) -> None:
        """The file lies in the media folder, readable for the web server, and the page links it."""
        entry = self.post("../my photo.PNG", PNG)
        self.assertRegex(entry.picture.name, r"^entries/[0-9a-f]{32}\.png$")
        stored = self.media / entry.picture.name
        self.assertEqual(stored.read_bytes(), PNG)
        self.assertEqual(stored.stat().st_mode & 0o777, 0o644)
        self.assertContains(self.client.get("/"), f'src="/media/{entry.picture.name}"')

    def test_what_is_no_picture_is_refused(self) -> None:
        """Neither another kind of file, nor one that only bears a picture's name, is saved."""
        for name, content in {"page.html": b"<html>", "page.png": b"<html>", "page.svg": PNG}.items():
            with self.subTest(name=name):
                self.assertIsNone(self.post(name, content))
                self.assertContains(self.response, "Choose a PNG, JPEG or GIF picture.", status_code=422)

    def test_a_picture_that_is_too_large_is_refused(self) -> None:
        """The limit is 5 MB."""
        self.assertIsNone(self.post("large.png", PNG + bytes(5 * 1024 * 1024)))
        self.assertContains(self.response, "larger than 5 MB", status_code=422)


class OperationTests(PageTestCase):
    """What those ask who run the project."""

    def test_health_is_good_when_all_parts_answer(self) -> None:
        """Database and cache answer: 200."""
        response = self.client.get("/healthz")
        self.assertEqual((response.status_code, response.json()), (200, {"status": "ok", "failed": []}))

    def test_health_names_the_part_that_fails(self) -> None:
        """What does not answer is named, with 503; its reason is in the log only."""
        failures = {
            "database": mock.patch("guestbook.health.connection.cursor", side_effect=DatabaseError("password")),
            "cache": mock.patch("guestbook.health.cache.set", side_effect=RedisConnectionError("password")),
        }
        for part, failing in failures.items():
            with self.subTest(part=part), failing, self.assertLogs("guestbook.health", "WARNING"):
                response = self.client.get("/healthz")
                self.assertEqual(response.status_code, 503)
                self.assertEqual(response.json(), {"status": "failed", "failed": [part]})

    def test_version_tells_code_and_release(self) -> None:
        """The version comes from the code, the release from the environment."""
        with mock.patch.dict("os.environ", {"SLIPWAY_RELEASE": "abc"}):
            self.assertEqual(self.client.get("/version").json(), {"version": VERSION, "release": "abc"})

    def test_slow_waits_within_its_bounds(self) -> None:
        """The wait is what was asked for, and more than five seconds are refused."""
        with mock.patch("time.sleep") as sleep:
            self.assertContains(self.client.get("/slow?seconds=3"), "waited 3 s")
            sleep.assert_called_once_with(3.0)
            for seconds in ("6", "-1", "nan", "soon"):
                self.assertEqual(self.client.get(f"/slow?seconds={seconds}").status_code, 400)
            sleep.assert_called_once()
