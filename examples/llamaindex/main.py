"""LlamaIndex over a Siltstone server: an index of nodes, retrieved by meaning and by a metadata filter."""
import json
import os
import pathlib
from urllib.parse import urlsplit

import chromadb
from llama_index.core import Settings, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters
from llama_index.vector_stores.chroma import ChromaVectorStore
from siltstone_embedder import embed


class EnglishEmbedding(BaseEmbedding):
    """The embedder of the server, in this process."""

    def _get_text_embedding(self, text):
        return embed([text])[0].tolist()

    def _get_query_embedding(self, query):
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query):
        return self._get_text_embedding(query)


url = urlsplit(os.environ.get("SILTSTONE_URL", "http://127.0.0.1:8000"))
client = chromadb.HttpClient(host=url.hostname, port=url.port, settings=chromadb.Settings(anonymized_telemetry=False))
collection = client.get_or_create_collection("handbook", embedding_function=None)
store = ChromaVectorStore(chroma_collection=collection)

Settings.embed_model = EnglishEmbedding()
passages = json.loads((pathlib.Path(__file__).parent / "passages.json").read_text("utf-8"))
nodes = [TextNode(id_=one["id"], text=one["text"], metadata={"source": one["source"]}) for one in passages]
index = VectorStoreIndex(nodes, storage_context=StorageContext.from_defaults(vector_store=store))

for question, filters in [
    ("Who pays when something arrives broken?", None),
    ("When is the bill sent?", MetadataFilters(filters=[MetadataFilter(key="source", value="billing.md")])),
]:
    found = index.as_retriever(similarity_top_k=1, filters=filters).retrieve(question)
    print(question)
    for one in found:
        print(f"  [{one.node.metadata['source']}] {one.node.get_content()}")
