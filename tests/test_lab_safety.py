"""The lab's safety: who may ask, what every answer carries, and that no name leads elsewhere."""

from pathlib import Path
from urllib.parse import quote

import pytest

import fitscope as fs
from fitscope.lab.safety import HEADERS, own_hosts
from fitscope.lab.server import create_app
from fitscope.lab.serving import open_door
from fitscope.lab.state import Lab
from lab_server import Asking

OWN = "http://127.0.0.1:8765"
JSON = {"content-type": "application/json"}
BODY = fs.experiment("bad-start", epochs=2).to_json()


def asking(token: str | None = None) -> Asking:
    """A client of a lab that only this machine reaches, or one with a token."""
    hosts = None if token else own_hosts("127.0.0.1", 8765)
    return Asking(create_app(Lab("w"), hosts=hosts, token=token))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"]
)
def test_this_machine_has_several_names(host: str) -> None:
    """Each of them is answered."""
    assert asking().get("/api/catalogue", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8765", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8765", ""]
)
def test_another_name_that_points_here_is_refused(host: str) -> None:
    """A site whose name is made to resolve to 127.0.0.1 reads nothing (DNS rebinding)."""
    answer = asking().get("/api/catalogue", headers={"host": host})
    assert answer.status_code == 403
    assert "is not served as" in answer.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": OWN}, 200),
        ({"origin": OWN, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8765@evil.example"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_another_site_changes_nothing(headers: dict[str, str], status: int) -> None:
    """A request that is not safe comes from the page itself, or from no page."""
    answer = asking().put("/api/tables/a.csv", content=b"x,y\n1,0\n2,1\n", headers=headers)
    assert answer.status_code == status
    assert Path("w/tables/a.csv").exists() == (status == 200)


def test_a_form_of_another_site_cannot_pose_as_json() -> None:
    """Bodies of a kind that a form may send are refused."""
    answer = asking().post("/api/run", content=BODY, headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "must be application/json; it is text/plain" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"), [("/api/catalogue", 200), ("/api/nothing", 404), ("/api/tables/.csv", 422)]
)
def test_every_answer_carries_the_headers(path: str, status: int) -> None:
    """Good or bad: no other source of code, no framing, no sniffing, no referrer."""
    answer = asking().get(path)
    assert answer.status_code == status
    assert HEADERS.items() <= dict(answer.headers).items()
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_a_mistake_of_ours_is_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered by a sentence, with the headers, and without the traceback."""
    monkeypatch.setattr("fitscope.lab.state.catalogue", lambda _limits: 1 / 0)
    app = create_app(Lab("w"), hosts=own_hosts("127.0.0.1", 8765))
    answer = Asking(app).get("/api/catalogue")
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("This is a mistake of fitscope")
    assert HEADERS.items() <= dict(answer.headers).items()


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    """The link is answered by a redirect without it; the cookie is out of reach for scripts."""
    client = asking("secret")
    assert client.get("/api/catalogue").status_code == 403
    answer = client.get("/api/runs?token=secret&a=1", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/runs?a=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie  # a link in a mail opens
    assert client.get("/api/catalogue").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer secret"},
        {"cookie": "fitscope-lab=secret"},
        {"cookie": 'odd[1]=a b; {"x"; fitscope-lab=secret; =;'},  # those of other programs
    ],
)
def test_the_token_is_taken_from_a_header(headers: dict[str, str]) -> None:
    """A program sends it as a bearer, a browser as a cookie; posts are answered, too."""
    client = asking("secret")
    for path in ("/api/run", "/api/run?token=secret"):
        answer = client.post(path, content=BODY, headers={**JSON, **headers})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?token=wrong", {}),
        ("/?token=", {}),
        ("/", {"authorization": "Bearer wrong"}),
        ("/", {"authorization": "Basic secret"}),
        ("/", {"cookie": "fitscope-lab="}),
        ("/", {"cookie": "fitscope-lab=Secret"}),
    ],
)
def test_without_the_token_nothing_is_told(path: str, headers: dict[str, str]) -> None:
    """A wrong one is as good as none."""
    answer = asking("secret").get(path, headers=headers)
    assert answer.status_code == 403
    assert "wants the token that stands in its link" in answer.json()["error"]


def test_the_redirect_stays_here() -> None:
    """A path that looks like another host is made one of ours; no sign in it ends the header."""
    client = asking("secret")
    answer = client.get("/%2Fevil.example/?token=secret", follow_redirects=False)
    assert answer.headers["location"].startswith("/evil")
    for path in ("/%C3%BC%E2%82%AC", "/a%0D%0Ab", "/a%3Fb"):
        answer = client.get(f"{path}?token=secret", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, path)


def test_only_a_token_is_taken_out_of_the_address() -> None:
    """Another parameter whose name ends so is none, and is answered once."""
    client = asking("secret")
    client.get("/?token=secret")
    assert client.get("/api/runs?notoken=1", follow_redirects=False).status_code == 200
    answer = client.get("/api/runs?token=", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/runs")


def test_only_an_address_that_others_reach_wants_a_token() -> None:
    """127.0.0.1 has a plain link; any other address gets a random one in it."""
    doors = [open_door(host, 0) for host in ("127.0.0.1", "0.0.0.0", "0.0.0.0")]  # noqa: S104
    for door in doors:
        door.sockets[0].close()
    assert doors[0].token is None
    assert doors[0].link == f"http://127.0.0.1:{doors[0].port}/"
    assert len({door.token for door in doors}) == 3
    assert doors[1].link.endswith(f"/?token={doors[1].token}")


ESCAPES = [
    "../secret",
    "..",
    ".hidden",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "a\0b",
    "x" * 200,
    "ü" * 100,
    "",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_leads_out_of_the_workspace(name: str) -> None:
    """Of a table, a run, or one of the page's own files: refused, and nothing is written."""
    client = asking()
    for path in (
        f"/api/tables/{quote(name + '.csv', safe='')}",
        f"/api/runs/{quote(name, safe='')}",
    ):
        for method in ("GET", "PUT"):
            answer = client.request(method, path, content=b"x,y\n1,0\n2,1\n")
            assert answer.status_code in (404, 405, 422), (method, path)
    assert client.get(f"/assets/{quote(name, safe='')}.js").status_code == 404
    assert not [path for path in Path().rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../a.csv", "tables/../a.csv", "a.csv", "tables/", "runs/a.csv", "C:\\a.csv"],
)
def test_an_experiment_reads_tables_of_the_workspace_only(path: str) -> None:
    """Absolute and escaping paths are refused with a sentence, though a file is there."""
    Path("a.csv").write_text("x,y\n1,0\n2,1\n")
    body = {"data": {"path": path, "target": "y"}}
    answer = asking().post("/api/run", json=body)
    assert answer.status_code == 422
    assert any(text in answer.json()["error"] for text in ("`data.path` must name", "A name has"))


def test_a_link_that_leads_out_is_not_followed() -> None:
    """A symbolic link in the folder is no table."""
    Path("a.csv").write_text("x,y\n1,0\n2,1\n")
    Path("w/tables").mkdir(parents=True)
    Path("w/tables/b.csv").symlink_to(Path("a.csv").absolute())
    client = asking()
    assert client.get("/api/tables").json() == {"tables": []}
    assert client.get("/api/tables/b.csv").status_code == 404
    answer = client.post("/api/run", json={"data": {"path": "tables/b.csv", "target": "y"}})
    assert "There is no table b.csv" in answer.json()["error"]


def test_the_pages_files_have_their_types_and_a_tag() -> None:
    """What has not changed is not sent again; what is no file of the page is not there."""
    client = asking()
    first = client.get("/assets/main.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/assets/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for path in ("../page.py", "%2e%2e/page.py", "model", "model/", "nothing.js", "main.js/x"):
        assert client.get(f"/assets/{path}").status_code == 404
