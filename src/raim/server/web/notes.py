"""What a page says after something was done."""

# What was done, by the word that stands in the address: an address never brings its own text onto a page.
NOTES = {
    "welcome": "Your account is made; you are logged in.",
    "password": "The password is changed; all other logins have ended.",
    "team": "Your team is made.",
    "joined": "You are in the team.",
    "left": "You have left the team.",
    "removed": "The member was taken out of the team.",
    "revoked": "It no longer works.",
    "saved": "Saved.",
    "sent": "Your submission has arrived; its check begins.",
    "withdrawn": "The submission is withdrawn.",
    "chosen": "This entry counts now.",
    "commented": "The comment is written.",
    "rescore": "It is put into the queue to be scored again; the present results stay.",
    "restarted": "The submission was started again.",
    "paused": "The phase takes no new submissions.",
    "resumed": "The phase takes submissions again.",
    "read": "challenge.toml was read again.",
    "announced": "The announcement is on the pages.",
    "invited": "The finalists are invited.",
    "published": "The gallery of results is public.",
    "hidden": "The gallery of results is hidden.",
    "disabled": "The account is shut.",
    "answered": "Your answer is written down.",
    "goodbye": "Your account is deleted.",
}
