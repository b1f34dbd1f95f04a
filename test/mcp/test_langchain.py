"""LangChain's adapter, which makes tools of LangChain out of the server's, over both channels."""
import asyncio

import pytest
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from siltstone import MAIN, NODE


def connection(channel, server, tmp_path):
    if channel == "http":
        return {"transport": "streamable_http", "url": f"{server.url}/mcp"}
    return {"transport": "stdio", "command": NODE, "args": [MAIN, "mcp", "--data", str(tmp_path / "memory"), "--allow-create"]}


@pytest.mark.parametrize("channel", ["http", "stdio"])
def test_tools(channel, server, tmp_path):
    async def use():
        client = MultiServerMCPClient({"memory": connection(channel, server, tmp_path)})
        async with client.session("memory") as session:
            tools = {tool.name: tool for tool in await load_mcp_tools(session)}
            assert set(tools) == {"collections", "search", "get", "remember", "update", "forget"}
            await tools["remember"].ainvoke({"collection": "birds", "id": "swift", "text": "Swifts sleep on the wing."})
            answer = await tools["search"].ainvoke({"collection": "birds", "query": "which bird sleeps while flying?"})
            assert "Swifts sleep on the wing." in str(answer)
            for ring in ("AK-4410", "AK-4411", "AK-4412"):
                await tools["remember"].ainvoke({"collection": "birds", "id": ring, "text": f"Ring {ring} was read."})
            answer = str(await tools["search"].ainvoke({"collection": "birds", "query": "AK-4411", "limit": 1}))
            assert "Ring AK-4411 was read." in answer
            assert "ranked by meaning and words" in answer

    asyncio.run(use())
