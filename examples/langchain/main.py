"""LangChain's Chroma vector store on a Siltstone server: a retriever with a filter, and a chain around it."""
import json
import os
import pathlib
from urllib.parse import urlsplit

import chromadb
from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from siltstone_embedder import embed


class EnglishEmbeddings(Embeddings):
    """The embedder of the server, in this process."""

    def embed_documents(self, texts):
        return embed(texts).tolist()

    def embed_query(self, text):
        return embed([text])[0].tolist()


url = urlsplit(os.environ.get("SILTSTONE_URL", "http://127.0.0.1:8000"))
client = chromadb.HttpClient(host=url.hostname, port=url.port, settings=chromadb.Settings(anonymized_telemetry=False))
store = Chroma(client=client, collection_name="handbook", embedding_function=EnglishEmbeddings())
passages = json.loads((pathlib.Path(__file__).parent / "passages.json").read_text("utf-8"))
store.add_documents(
    [Document(one["text"], metadata={"source": one["source"]}) for one in passages],
    ids=[one["id"] for one in passages],
)

question = "How long does it take until my order arrives?"
retriever = store.as_retriever(search_kwargs={"k": 2, "filter": {"source": "shipping.md"}})
prompt = ChatPromptTemplate.from_template("Answer from these passages only.\n{context}\n\nQuestion: {question}")
# Put a chat model in the place of the last step.
chain = (
    {"context": retriever | (lambda found: "\n".join(one.page_content for one in found)), "question": RunnablePassthrough()}
    | prompt
    | RunnableLambda(lambda value: value.to_string())
)
print(chain.invoke(question))
