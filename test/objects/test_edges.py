"""boto3 at the edges: keys, ranges, conditions, copies, pages, forms, and transfers that are given up."""

import datetime
import io
import os
import time
import urllib.error
import urllib.request

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024
KEYS = [
    "a", "a/", "a/b", "..", "../x", "/lead", "//", "a//b", "a b+c&d=e?f#g%20h", "ü", "e\u0301", "\u00e9", "日本/語.txt", "🙂",
    "x" * 1024, "é" * 512, "tab\tkey", "new\nline", "q\"uo<t>e'&", "back\\slash", "~tilde", "%2F", "a%2Fb", ".", "./a", "con", "A",
    "\x7f", "semi;colon,comma:colon@at$dollar!ex*()", "\u2028", "\ufeffbom",
]  # fmt: skip


def answer(call):
    """Status, and S3's code of an error."""
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"], None
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


def test_any_key(server, bucket):
    client = server.boto3()
    for key in KEYS:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    in_order = sorted(KEYS, key=str.encode)
    for name, element in [("list_objects", "Contents"), ("list_objects_v2", "Contents"), ("list_object_versions", "Versions")]:
        pages = client.get_paginator(name).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
        assert [one["Key"] for page in pages for one in page.get(element, [])] == in_order
    for key in KEYS:
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        assert client.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()
        assert "Errors" not in client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
        assert answer(lambda: client.head_object(Bucket=bucket, Key=key))[0] == 404
    for key in ["x" * 1025, "é" * 513]:
        assert answer(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"")) == (400, "KeyTooLongError")


def test_ranges(server, bucket):
    client = server.boto3()
    for size in [100_000, 600_000]:
        body = os.urandom(size)
        client.put_object(Bucket=bucket, Key="r", Body=body)
        for text, status, expected in [
            ("bytes=0-0", 206, body[:1]),
            (f"bytes={size - 1}-", 206, body[-1:]),
            (f"bytes={size - 1}-{size + 5}", 206, body[-1:]),
            ("bytes=-1", 206, body[-1:]),
            (f"bytes=-{size + 9}", 206, body),
            ("bytes=0-99999999999999", 206, body),
            (f"bytes={size}-", 416, None),
            ("bytes=-0", 416, None),
            # Not a range: the whole object.
            ("bytes=5-2", 200, body),
            ("bytes=0-1,4-5", 200, body),
            ("items=0-1", 200, body),
        ]:
            if expected is None:
                assert answer(lambda: client.get_object(Bucket=bucket, Key="r", Range=text)) == (status, "InvalidRange")
                continue
            got = client.get_object(Bucket=bucket, Key="r", Range=text)
            assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (status, expected)
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    for text in ["bytes=0-", "bytes=0-0", "bytes=-1"]:
        assert answer(lambda: client.get_object(Bucket=bucket, Key="empty", Range=text)) == (416, "InvalidRange")


def test_conditions(server, bucket):
    client = server.boto3()
    first = client.put_object(Bucket=bucket, Key="c", Body=b"1")["ETag"]
    put = lambda key="c", **condition: answer(lambda: client.put_object(Bucket=bucket, Key=key, Body=b"2", **condition))
    assert put(IfNoneMatch="*") == (412, "PreconditionFailed")
    assert put(IfMatch='"x"') == (412, "PreconditionFailed")
    assert put(IfMatch=first) == (200, None)
    assert put("missing", IfMatch=first) == (404, "NoSuchKey")
    head = client.head_object(Bucket=bucket, Key="c")
    now, at = head["ETag"], head["LastModified"]
    before = at - datetime.timedelta(days=1)
    get = lambda **condition: answer(lambda: client.get_object(Bucket=bucket, Key="c", **condition))[0]
    assert get(IfNoneMatch=now) == 304
    assert get(IfMatch=first) == 412
    assert get(IfModifiedSince=at) == 304
    assert get(IfUnmodifiedSince=before) == 412
    assert get(IfMatch=now, IfUnmodifiedSince=before) == 200
    assert get(IfNoneMatch='"other"', IfModifiedSince=at) == 200


def test_copies_with_other_metadata_and_tags(server, bucket):
    client = server.boto3()
    source = {"Bucket": bucket, "Key": "m"}
    client.put_object(**source, Body=b"m", Metadata={"one": "1"}, ContentType="text/x", CacheControl="no-store", Tagging="a=b&c=d%20e")
    assert answer(lambda: client.copy_object(**source, CopySource=source)) == (400, "InvalidRequest")
    client.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata={"two": "2"}, ContentType="text/y")
    head = client.head_object(**source)
    assert (head["Metadata"], head["ContentType"], head.get("CacheControl")) == ({"two": "2"}, "text/y", None)
    tags = {tag["Key"]: tag["Value"] for tag in client.get_object_tagging(**source)["TagSet"]}
    assert tags == {"a": "b", "c": "d e"}
    client.copy_object(Bucket=bucket, Key="m2", CopySource=source, TaggingDirective="REPLACE", Tagging="x=y")
    assert client.get_object_tagging(Bucket=bucket, Key="m2")["TagSet"] == [{"Key": "x", "Value": "y"}]
    assert client.head_object(Bucket=bucket, Key="m2")["Metadata"] == {"two": "2"}
    large = lambda: client.put_object(Bucket=bucket, Key="large", Body=b"", Metadata={"k": "v" * 2_100})
    assert answer(large) == (400, "MetadataTooLarge")


def test_pages_of_prefixes(server, bucket):
    client = server.boto3()
    for at in range(60):
        client.put_object(Bucket=bucket, Key=f"many/{at % 20:03}/{at:03}", Body=b"x")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", Delimiter="/", PaginationConfig={"PageSize": 3})
    prefixes = [one["Prefix"] for page in pages for one in page["CommonPrefixes"]]
    assert prefixes == [f"many/{at:03}/" for at in range(20)]
    after = lambda key, count: client.list_objects_v2(Bucket=bucket, Prefix="many/", Delimiter="/", StartAfter=key, MaxKeys=count)
    page = after("many/010/zzz", 3)
    assert [one["Prefix"] for one in page["CommonPrefixes"]] == [f"many/{at:03}/" for at in (11, 12, 13)]
    assert (page["KeyCount"], page["IsTruncated"]) == (3, True)
    # A key of the prefix comes after it.
    assert after("many/010/010", 1)["CommonPrefixes"] == [{"Prefix": "many/010/"}]
    assert client.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert client.list_objects_v2(Bucket=bucket, MaxKeys=5_000)["MaxKeys"] == 1_000
    token = lambda: client.list_objects_v2(Bucket=bucket, ContinuationToken="garbage")
    assert answer(token) == (400, "InvalidArgument")
    too_many = {"Objects": [{"Key": str(at)} for at in range(1_001)]}
    assert answer(lambda: client.delete_objects(Bucket=bucket, Delete=too_many)) == (400, "MalformedXML")


def send(url, body=None, method="GET", headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method, headers=headers or {})) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def post(form, body, name="f.txt", **changes):
    boundary = "x" * 30
    fields = {**form["fields"], **changes}.items()
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    data = ("".join(parts) + head).encode() + body + f"\r\n--{boundary}--\r\n".encode()
    return send(form["url"], data, "POST", {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def test_forms(server, bucket):
    client = server.boto3(config=Config(signature_version="s3v4"))
    form = client.generate_presigned_post(bucket, "p/${filename}", Conditions=[["content-length-range", 3, 5]])
    assert [post(form, b"x" * size)[0] for size in (2, 3, 5, 6)] == [400, 204, 204, 400]
    assert client.head_object(Bucket=bucket, Key="p/f.txt")["ContentLength"] == 5
    assert post(form, b"xxx", **{"x-amz-meta-more": "1"})[0] == 403
    assert post(form, b"xxx", key="other")[0] == 403
    created = client.generate_presigned_post(
        bucket, "q", Fields={"success_action_status": "201"}, Conditions=[{"success_action_status": "201"}]
    )
    status, body = post(created, b"x")
    assert status == 201 and b"<PostResponse" in body
    large = client.generate_presigned_post(bucket, "u/${filename}", Conditions=[["starts-with", "$key", "u/"]])
    content = os.urandom(1_200_000)
    assert post(large, content, "folder/ü name.txt")[0] == 204
    assert client.get_object(Bucket=bucket, Key="u/ü name.txt")["Body"].read() == content


def test_what_is_presigned_ends_and_is_for_one_method(server, bucket):
    client = server.boto3(config=Config(signature_version="s3v4"))
    client.put_object(Bucket=bucket, Key="k", Body=b"k")
    sign = lambda seconds: client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=seconds)
    assert send(sign(60)) == (200, b"k")
    assert send(sign(60), method="DELETE")[0] == 403
    assert send(f"{sign(60)}&x=1")[0] == 403
    short = sign(1)
    form = client.generate_presigned_post(bucket, "k", ExpiresIn=1)
    time.sleep(2.1)
    status, body = send(short)
    assert status == 403 and b"expired" in body
    assert post(form, b"x")[0] == 403


def test_transfers_of_many_threads_and_one_that_is_given_up(server, bucket):
    client = server.boto3()
    body = os.urandom(24 * MIB)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=16)
    client.upload_fileobj(io.BytesIO(body), bucket, "large", Config=config)
    back = io.BytesIO()
    client.download_fileobj(bucket, "large", back, Config=config)
    assert back.getvalue() == body

    class GivenUp(Exception):
        pass

    seen = []

    def progress(count):
        seen.append(count)
        if sum(seen) > 12 * MIB:
            raise GivenUp

    with pytest.raises(Exception):
        client.upload_fileobj(io.BytesIO(body), bucket, "given-up", Config=config, Callback=progress)
    assert answer(lambda: client.head_object(Bucket=bucket, Key="given-up"))[0] == 404
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_parts_in_disorder(server, bucket):
    client = server.boto3()
    place = {"Bucket": bucket, "Key": "parts"}
    upload = {**place, "UploadId": client.create_multipart_upload(**place)["UploadId"]}
    first = client.upload_part(**upload, PartNumber=1, Body=b"a" * 5 * MIB)["ETag"]
    last = client.upload_part(**upload, PartNumber=7, Body=b"z")["ETag"]
    complete = lambda *parts, **condition: answer(
        lambda: client.complete_multipart_upload(
            **upload, **condition, MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]}
        )
    )
    assert complete((7, last), (1, first)) == (400, "InvalidPartOrder")
    assert complete((1, '"0"')) == (400, "InvalidPart")
    assert complete((1, first), IfMatch='"x"')[0] == 404
    for number in (0, 10_001):
        assert answer(lambda: client.upload_part(**upload, PartNumber=number, Body=b"")) == (400, "InvalidArgument")
    assert complete((1, first), (7, last)) == (200, None)
    assert client.get_object(**place, PartNumber=7)["Body"].read() == b"z"
    assert answer(lambda: client.abort_multipart_upload(**upload)) == (404, "NoSuchUpload")


def test_versions(server, bucket):
    client = server.boto3()
    place = {"Bucket": bucket, "Key": "k"}
    client.put_object(**place, Body=b"0")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, _ = (client.put_object(**place, Body=body)["VersionId"] for body in (b"1", b"2"))
    read = lambda **version: client.get_object(**place, **version)["Body"].read()
    assert read(VersionId="null") == b"0"
    marker = client.delete_object(**place)
    assert marker["DeleteMarker"]
    assert answer(lambda: client.get_object(**place)) == (404, "NoSuchKey")
    assert answer(lambda: client.get_object(**place, VersionId=marker["VersionId"]))[0] == 405
    client.copy_object(**place, CopySource={**place, "VersionId": first})
    assert read() == b"1"
    listed = client.list_object_versions(Bucket=bucket)
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"]), listed["Versions"][0]["IsLatest"]) == (4, 1, True)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    client.put_object(**place, Body=b"suspended")
    assert read(VersionId="null") == b"suspended"
