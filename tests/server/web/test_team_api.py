def test_a_team_is_described_with_its_members(site):
    ada = site.member("ada", "Alpha")
    team = ada.api("GET", "/team").json()
    assert (team["name"], team["state"], team["final"]) == ("Alpha", "approved", None)
    member = team["members"][0]
    assert (member["login"], member["name"], member["role"]) == ("ada", "ada", "captain")


def test_an_invitation_made_by_a_program_lets_one_person_in(site):
    ada, bob = site.member("ada"), site.user("bob")
    url = ada.api("POST", "/team/invitations").json()["url"]
    path = url.removeprefix("http://127.0.0.1:8000")
    assert bob.post(path).headers["location"] == "/team?note=joined"
    assert [each["login"] for each in ada.api("GET", "/team").json()["members"]] == ["ada", "bob"]


def test_a_fact_sheet_is_changed_field_by_field(site):
    ada = site.member("ada")
    answer = ada.api("POST", "/team/fact-sheet", json={"title": "A net"}).json()
    assert answer["fields"][0]["stated"] == "A net"
    assert "Runtime" in answer["missing"]
    answer = ada.api("POST", "/team/fact-sheet", json={"titel": "A net"})
    assert answer.status_code == 422
    assert answer.json()["error"]["problems"] == ["titel: there is no such field"]
    answer = ada.api("POST", "/team/fact-sheet", json={"runtime": "1 s"}).json()
    assert (answer["fields"][0]["stated"], "Runtime" in answer["missing"]) == ("A net", False)
    assert ada.post("/team/fact-sheet", title="").status_code == 303  # an empty field of the form empties it
    assert ada.api("GET", "/team/fact-sheet").json()["fields"][0]["stated"] == ""


def test_who_is_not_invited_cannot_accept(site):
    ada = site.member("ada")
    answer = ada.api("POST", "/team/invitation-to-final", json={"accepts": True})
    assert answer.status_code == 404
    assert "not invited" in answer.json()["error"]["message"]


def test_a_file_comes_back_as_it_was_sent(site):
    ada = site.member("ada")
    content = site.zip_of()
    number = site.submit(ada, content)
    answer = ada.api("GET", f"/submissions/{number}/file")
    assert answer.content == content
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''result.zip"
