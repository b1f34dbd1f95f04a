"""boto3 with its default settings, and with the checksums of the common runtime."""

import io
import os
import urllib.request

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024


def test_every_checksum(server, bucket):
    client = server.boto3()
    body = os.urandom(300_000)
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        put = client.put_object(Bucket=bucket, Key=algorithm, Body=body, ChecksumAlgorithm=algorithm)
        got = client.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        assert got["Body"].read() == body
        assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]


def test_upload_file_in_parts_with_progress(server, bucket, tree, tmp_path):
    client = server.boto3()
    seen = []
    client.upload_file(str(tree / "large.bin"), bucket, "large", Callback=seen.append)
    assert sum(seen) == 40 * MIB
    client.download_file(bucket, "large", str(tmp_path / "large"))
    assert (tmp_path / "large").read_bytes() == (tree / "large.bin").read_bytes()


@pytest.mark.parametrize("algorithm", ["CRC64NVME", "CRC32C", "SHA256"])
def test_parts_with(server, bucket, algorithm):
    client = server.boto3()
    body = os.urandom(11 * MIB)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    client.upload_fileobj(io.BytesIO(body), bucket, "k", Config=config, ExtraArgs={"ChecksumAlgorithm": algorithm})
    head = client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"].endswith("-3") == (algorithm != "CRC64NVME")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_presigned_put_with_exact_size_and_type(server, bucket):
    parameters = {"Bucket": bucket, "Key": "p", "ContentLength": 5, "ContentType": "text/plain"}
    client = server.boto3(config=Config(signature_version="s3v4"))
    url = client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=60)

    def put(body, kind="text/plain"):
        request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": kind})
        try:
            return urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            return error.code

    assert put(b"hello") == 200
    assert put(b"hello!") == 403
    assert put(b"hello", "text/html") == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_post(server, bucket, version):
    conditions = [["content-length-range", 1, 10], ["starts-with", "$key", "uploads/"]]
    client = server.boto3(config=Config(signature_version=version))
    form = client.generate_presigned_post(bucket, "uploads/${filename}", Conditions=conditions)

    def post(body):
        boundary = "x" * 30
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}' for k, v in form["fields"].items()]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n'
        data = ("\r\n".join(parts) + "\r\n" + head).encode() + body + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        try:
            return urllib.request.urlopen(urllib.request.Request(form["url"], data=data, headers=headers)).status
        except urllib.error.HTTPError as error:
            return error.code

    assert post(b"12345") == 204
    assert post(b"12345678901") == 400
    assert server.boto3().get_object(Bucket=bucket, Key="uploads/f.txt")["Body"].read() == b"12345"


def test_1100_keys_are_listed_deleted_and_paged(server, bucket):
    client = server.boto3()
    for at in range(1_100):
        client.put_object(Bucket=bucket, Key=f"k/{at:05}", Body=b"x")
    paginator = client.get_paginator("list_objects_v2")
    keys = [one["Key"] for page in paginator.paginate(Bucket=bucket) for one in page.get("Contents", [])]
    assert keys == [f"k/{at:05}" for at in range(1_100)]
    for at in range(0, 1_100, 1_000):
        objects = [{"Key": key} for key in keys[at : at + 1_000]]
        assert len(client.delete_objects(Bucket=bucket, Delete={"Objects": objects})["Deleted"]) == len(objects)
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_conditions_and_metadata(server, bucket):
    client = server.boto3()
    client.put_object(Bucket=bucket, Key="c", Body=b"1", IfNoneMatch="*", Metadata={"user": "17"}, Tagging="a=b")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="c", Body=b"2", IfNoneMatch="*")
    head = client.head_object(Bucket=bucket, Key="c")
    assert head["Metadata"] == {"user": "17"}
    assert client.get_object_tagging(Bucket=bucket, Key="c")["TagSet"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong = server.boto3()
        wrong._request_signer._credentials.secret_key = "wrong"
        wrong.list_buckets()
