"""Which picture a row of the Rails app means."""

from pathlib import Path

import pytest

from cli.photo_folder import PhotoFile
from cli.rails_files import FilesByName

FILES = FilesByName(PhotoFile(name, Path(name)) for name in ("2024/a.jpg", "2025/a.jpg", "2025/trip/b.jpg", "ü c.jpg"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("b.jpg", "2025/trip/b.jpg"),
        ("/srv/app/storage/2025/trip/b.jpg", "2025/trip/b.jpg"),
        ("/elsewhere/b.jpg", "2025/trip/b.jpg"),
        ("photos/2024/a.jpg", "2024/a.jpg"),
        ("storage\\2025\\a.jpg", "2025/a.jpg"),
        ("https://cdn.example.com/x/2025/a.jpg?version=3", "2025/a.jpg"),
        ("https://cdn.example.com/%C3%BC%20c.jpg", "ü c.jpg"),
        ("u\u0308 c.jpg", "ü c.jpg"),
    ],
)
def test_a_row_means_the_file_with_the_longest_common_end(written: str, meant: str) -> None:
    found = FILES.find(written)
    assert isinstance(found, PhotoFile)
    assert found.name == meant


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("a.jpg", "it may be 2024/a.jpg or 2025/a.jpg"),
        ("/2026/a.jpg", "it may be 2024/a.jpg or 2025/a.jpg"),
        ("z.jpg", "there is no file z.jpg in the folder"),
        ("A.jpg", "there is no file A.jpg in the folder"),
        ("", "its row names no file"),
        ("https://cdn.example.com", "its row names no file"),
        ("..", "its row names no file"),
    ],
)
def test_what_is_not_sure_is_not_guessed(written: str, reason: str) -> None:
    assert FILES.find(written) == reason
