"""Commands as a person gives them: real processes of this interpreter, bounded in time."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60

AREAS = """id,parent,level,name,lat,lon
D1,,district,河西区,39.0900,117.2200
S1,D1,street,友谊路街,39.0850,117.2200
C1,S1,community,富源里,39.0810,117.2200
G1,C1,grid,富源里一网格,39.0805,117.2200
"""
ELDERS = """id,name,area,address,lat,lon,phone,card,language,paired,access,notes,active
E-1,李奶奶,G1,富源里 3 号楼 201,39.0800,117.2200,13800000001,CARD1,zh,V-1,钥匙在邻居王家,听力不好,1
"""
DEVICES = """id,elder,gateway,kind,phone,heartbeat_s,mobile,active
BTN-0001,E-1,GW-1,button,,,0,1
"""
RESPONDERS = """id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels,language,active
V-1,王师傅,volunteer,G1,39.0815,117.2210,13900000001,,,,app,zh,1
"""
FILES = {"areas": AREAS, "elders": ELDERS, "devices": DEVICES, "responders": RESPONDERS}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def give(*args: str | Path, stdin: str = "") -> Done:
    """Run ``callhub`` with these arguments to its end."""
    command = [sys.executable, "-m", "callhub", *(str(arg) for arg in args)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


async def give_beside(*args: str | Path, stdin: str = "") -> Done:
    """The same while a server runs in this process's loop."""
    return await asyncio.to_thread(give, *args, stdin=stdin)


def found_ward(folder: Path) -> tuple[Path, str]:
    """A new installation in ``folder``: its configuration and its administrator's password."""
    done = give("init", folder)
    assert done.status == 0, done.err
    return folder / "callhub.toml", done.out.split("password: ")[1].strip()


def write_files(folder: Path) -> dict[str, Path]:
    """The four files of one small ward, by kind."""
    paths = {kind: folder / f"{kind}.csv" for kind in FILES}
    for kind, path in paths.items():
        path.write_text(FILES[kind], encoding="utf-8")
    return paths


def settle(config: Path, folder: Path) -> None:
    """Import the small ward."""
    for kind, path in write_files(folder).items():
        done = give("import", "-c", config, kind, path)
        assert done.status == 0, done.err
