"""Several agents, each with a process of its own, on one directory, by the SDK for Python."""
import asyncio
import contextlib

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from siltstone import MAIN, NODE, cli

AGENTS = 4
NOTES = 10


@contextlib.asynccontextmanager
async def agent(data):
    args = [MAIN, "mcp", "--data", str(data), "--allow-create", "--no-compaction"]
    async with stdio_client(StdioServerParameters(command=NODE, args=args)) as (reading, writing):
        async with ClientSession(reading, writing) as session:
            await session.initialize()
            yield session


async def call(session, tool, **arguments):
    answer = await session.call_tool(tool, arguments)
    assert not answer.isError, answer.content
    return answer.structuredContent


async def talk(data):
    async with contextlib.AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(agent(data)) for _ in range(AGENTS)]

        async def remember(number, session):
            for note in range(NOTES):
                text = f"Agent {number} has counted {note} boats."
                await call(session, "remember", collection="boats", id=f"{number}-{note}", text=text, dedupe=False)

        await asyncio.gather(*(remember(number, session) for number, session in enumerate(agents)))
        # Each finds what every other has written.
        for reader in agents:
            for number in range(AGENTS):
                found = await call(reader, "search", collection="boats", query=f"Agent {number} has counted 7 boats.", limit=1)
                assert found["hits"][0]["id"] == f"{number}-7"

        # Of agents that forget the same record, one deletes it.
        forgotten = await asyncio.gather(
            *(one.call_tool("forget", {"collection": "boats", "ids": ["0-0"], "confirm_count": 1}) for one in agents)
        )
        assert sum(not answer.isError for answer in forgotten) == 1


def test_agents_on_one_directory_lose_nothing(tmp_path):
    data = tmp_path / "memory"
    asyncio.run(talk(data))
    got = cli(data, "get", "boats", "--limit", "100")
    kept = {f"{number}-{note}" for number in range(AGENTS) for note in range(NOTES)} - {"0-0"}
    assert {record["id"] for record in got["records"]} == kept
