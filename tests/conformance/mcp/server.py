"""A server of the official SDK: `server.py stdio`, or `server.py PORT [json] [stateless]` for streamable HTTP.

The file `variant` in the working directory, when there, changes what the tool `add` says of itself.
"""
import asyncio
import os
import sys

from mcp.server.fastmcp import Context, FastMCP, Image
from mcp.types import SamplingMessage, TextContent
from pydantic import BaseModel

http = sys.argv[1] != "stdio"
options = {"json_response": "json" in sys.argv, "stateless_http": "stateless" in sys.argv}
server = FastMCP("conformance", **({"port": int(sys.argv[1]), **options} if http else {}))
with open("started", "a", encoding="utf-8") as started:
    started.write(f"{os.getpid()}\n")


class Person(BaseModel):
    name: str
    age: int
    friends: list["Person"] = []


@server.tool(description="adds" + (" and more" if os.path.exists("variant") else ""))
def add(a: int, b: int = 1) -> int:
    return a + b


@server.tool()
def greet(name: str, title: str | None = None) -> str:
    """Greets somebody"""
    return f"Hello {title + ' ' if title else ''}{name}"


@server.tool()
def older(person: Person, years: int) -> Person:
    """The person some years later"""
    return Person(name=person.name, age=person.age + years)


@server.tool()
def picture() -> Image:
    return Image(data=b"12345678901", format="png")


@server.tool()
def fail() -> str:
    raise ValueError("this one\nnever works")


@server.tool()
async def slow() -> str:
    await asyncio.sleep(600)
    return "late"


@server.tool()
async def talkative(context: Context) -> str:
    """Says things, and asks things, before it answers"""
    await context.report_progress(1, 2, "half")
    await context.info("a word in between")
    if "stateless" in sys.argv or "json" in sys.argv:
        return "done"
    if not http:
        await context.session.send_ping()
    try:
        question = SamplingMessage(role="user", content=TextContent(type="text", text="who are you?"))
        await context.session.create_message([question], max_tokens=9, related_request_id=context.request_id)
    except Exception as error:  # a model is not offered
        return f"done: {error}"
    return "there was an answer"


@server.tool()
def environment() -> list[str]:
    return sorted(os.environ)


server.run("streamable-http" if http else "stdio")
