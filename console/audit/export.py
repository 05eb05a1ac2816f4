"""An exported file as an answer, sent while it is made: neither a million rows nor a slow reader fills the memory."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.timezone import localtime

from identity.audit.commands import Export, PreparedFile
from identity.audit.files import Format, text_of
from identity.kernel import clock


def _close_connection() -> None:
    """In the export's own thread: `connection` names another one in each thread."""
    connection.close()


async def _awaited[T](pieces: Iterator[T]) -> AsyncIterator[T]:
    """The same for an async server, from one thread of its own with one connection."""
    threads = ThreadPoolExecutor(1, "export")
    pull = sync_to_async(lambda: next(pieces, None), thread_sensitive=False, executor=threads)
    try:
        while (piece := await pull()) is not None:
            yield piece
    finally:
        threads.submit(_close_connection)
        threads.shutdown(wait=False)


def download(request: HttpRequest, export: Export, file_format: Format, language: str) -> StreamingHttpResponse:
    """The matching events at once."""
    return _answer(request, text_of(export.chunks, file_format, language), file_format)


def download_prepared(request: HttpRequest, prepared: PreparedFile) -> StreamingHttpResponse:
    """What the worker has prepared."""
    response = _answer(request, prepared.pieces, prepared.format)
    response.headers["Content-Length"] = str(prepared.size)
    return response


def _answer[T: (str, bytes)](request: HttpRequest, pieces: Iterator[T], file_format: Format) -> StreamingHttpResponse:
    """The answer that a browser saves."""
    name = f"audit-{request.realm.slug}-{localtime(clock.now()):%Y-%m-%d-%H%M}.{file_format}"  # type: ignore[attr-defined]
    return StreamingHttpResponse(
        _awaited(pieces) if hasattr(request, "scope") else pieces,
        content_type="text/csv; charset=utf-8" if file_format == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
