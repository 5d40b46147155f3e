"""DynamoDB Local, Amazon's own emulator, for tests and benchmarks: where it comes from, and how it is run.

It keeps what moto does not: the transactions' client tokens, the index' limits, and capacity as it is billed. It needs
Java 17 and is no part of a deployment, so nothing but tests and benchmarks asks for it.
"""

import argparse
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Final

import requests

FOLDER_VARIABLE: Final = "FLUFFY_TRAIN_DYNAMODB_LOCAL"
REQUIRED_VARIABLE: Final = "FLUFFY_TRAIN_REQUIRE_DYNAMODB_LOCAL"
"""Set to 1 where its absence must be a failure and not a skipped test."""

# AWS Amplify's package is how DynamoDB Local is told from npm's registry, with a hash. Amazon's own download has none.
PACKAGE: Final = "amplify-dynamodb-simulator@2.9.30"
SHA512: Final = (
    "c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c5280439836665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea78"
    "88a17b9002749ec1"
)
HOW_TO_GET_IT: Final = "`make dynamodb-local` (needs Java 17 and npm)"

_JAR: Final = "DynamoDBLocal.jar"
_IN_PACKAGE: Final = "package/emulator/"
_DEFAULT_FOLDER: Final = Path(__file__).resolve().parent.parent / ".tools" / "dynamodb-local"
_READY_WITHIN: Final = 60.0  # seconds; a busy machine of two cores takes ten

# The shell waits on its standard input, whose other end is ours: as this process ends, in any way, Java ends too.
_ENDS_WITH_US: Final = """
exec 3<&0
"$@" </dev/null 3<&- &
java=$!
(cat <&3 >/dev/null; kill $java 2>/dev/null) &
wait $java
"""


class NotThereError(Exception):
    """DynamoDB Local is not on this machine, or does not start. The text says what to do."""


def folder() -> Path:
    """Where DynamoDB Local is, or belongs."""
    return Path(os.environ.get(FOLDER_VARIABLE) or _DEFAULT_FOLDER).expanduser().resolve()


def available() -> bool:
    """Whether it can be run here: its files and Java are there."""
    return shutil.which("java") is not None and (folder() / _JAR).is_file()


def is_required() -> bool:
    """Whether this run of the tests must not go without it."""
    return os.environ.get(REQUIRED_VARIABLE) == "1"


class DynamoDbLocal:
    """A DynamoDB Local of one's own, empty and in memory; ``with`` gives its address. Raises NotThereError.

    It ends with the block, and at the latest with this process.
    """

    def __enter__(self) -> str:
        if not available():
            raise NotThereError(f"DynamoDB Local is not in {folder()}, or there is no Java: {HOW_TO_GET_IT}")
        self._process, url = _start()
        try:
            _wait_until_it_answers(self._process, url)
        except BaseException:
            self._end()
            raise
        return url

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def fetch() -> bool:
    """Put DynamoDB Local into its folder by npm; False when it is there already. Raises NotThereError."""
    if (folder() / _JAR).is_file():
        return False
    if shutil.which("npm") is None:
        raise NotThereError("npm is not on this machine; it comes with Node.js")
    folder().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder().parent) as scratch:
        subprocess.run(
            ["npm", "pack", PACKAGE, "--silent", "--pack-destination", scratch],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (tarball,) = Path(scratch).glob("*.tgz")
        if hashlib.sha512(tarball.read_bytes()).hexdigest() != SHA512:
            raise NotThereError(f"{PACKAGE} is not the file that it was: its SHA-512 is another. Nothing is unpacked.")
        unpacked = Path(scratch) / "unpacked"
        _unpack(tarball, unpacked)
        unpacked.rename(folder())
    return True


def _start() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Tests run two of these on two cores for seconds: one thread collects garbage, and the quicker compiler is enough.
    machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    java = ["java", *machine, "-Djava.library.path=./DynamoDBLocal_lib", "-jar", _JAR]
    options = ["-port", str(port), "-inMemory", "-disableTelemetry", "-sharedDb"]
    process = subprocess.Popen(
        ["sh", "-c", _ENDS_WITH_US, "sh", *java, *options],
        cwd=folder(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    return process, f"http://127.0.0.1:{port}"


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str) -> None:
    give_up_at = time.monotonic() + _READY_WITHIN
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            # Without a signature it answers 400, which is all that is asked.
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise NotThereError("DynamoDB Local does not start; why stands above. It needs Java 17.")


def _unpack(tarball: Path, into: Path) -> None:
    with tarfile.open(tarball) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.startswith(_IN_PACKAGE) else None
            if content is not None:
                path = into / member.name.removeprefix(_IN_PACKAGE)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.dynamodb_local", description=__doc__)
    parser.add_argument("--fetch", action="store_true", required=True, help=f"get it by npm, into {folder()}")
    parser.parse_args()
    try:
        print(f"DynamoDB Local is in {folder()}" if fetch() else f"DynamoDB Local is already in {folder()}")
    except (NotThereError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
