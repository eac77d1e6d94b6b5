"""The register of routes: a function is registered once, and answers as a page and as JSON.

    route -> context -> query or action -> record -> page or JSON

A function takes the context, what the address names, and for a change `wanted`, a validated record; it returns a
record. Its page is that record through a template, below `/c/ID`; its JSON is that record, below `/api/v1/c/ID`.
Who may use it stands with the route, and is asked before the function runs. What is wrong with a form stands beside its
fields on the page that it came from; a program gets the same words as JSON.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from raim.errors import AccessError, RaimError, UnknownNameError
from raim.server.web import threads
from raim.server.web.access import ROUTE_RULES, Who
from raim.server.web.context import RequestContext, admit, open_context
from raim.server.web.failures import FAILURES, read_problem, status_of
from raim.server.web.origin import SAFE_METHODS
from raim.server.web.rate_limit import limit_rate
from raim.server.web.rendering import render_page
from raim.server.web.viewers import API

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CHALLENGE = "/c/{challenge_id}"
Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class FormState:
    """What was sent with a form that could not be taken, for the page that is shown again.

    Attributes:
        error: What is wrong as a whole.
        problems: What is wrong, by field.
        typed: What was typed, by field.
        path: Where the form was sent to, of several on a page.
    """

    error: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    typed: dict[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A registered function.

    Attributes:
        method: Of HTTP.
        prefix: The challenge's address, or "" for the server's.
        path: Below that.
        who: Who may use it.
        function: What runs.
        template: Of the page of a GET route; "" where it has none.
        page: For a change: the function of the page that its form is on, shown again where the form is wrong.
        then: Where the browser goes after a change, with fields of address and record; to the page without.
        note: What that page says, a word of `raim.server.web.notes`.
        shows: Whether the change's record is shown on the page at once, as `made`, since it is never shown again.
        status: Of the JSON answer.
    """

    method: Method
    prefix: str
    path: str
    who: Who
    function: Function
    template: str = ""
    page: Function | None = None
    then: str = ""
    note: str = ""
    shows: bool = False
    status: int = 200

    @property
    def name(self) -> str:
        """By which the register knows it."""
        return f"{self.method} {self.prefix}{self.path}"


REGISTER: dict[str, Route] = {}
_pages: dict[Function, Route] = {}


class Area:
    """The routes of one part of the site.

    Args:
        tag: Its heading in the OpenAPI document.
        prefix: Below which address; that of the challenge without.
    """

    def __init__(self, tag: str, *, prefix: str = CHALLENGE) -> None:
        self.prefix = prefix
        self.pages = APIRouter(prefix=prefix, route_class=_PageRoute, include_in_schema=False)
        self.specials = APIRouter(prefix=prefix, include_in_schema=False, dependencies=[Depends(admit)])
        self.probes = APIRouter(prefix=prefix, include_in_schema=False)
        self.api = APIRouter(prefix=API + prefix, route_class=_JsonRoute, tags=[tag], responses=FAILURES)

    @property
    def routers(self) -> tuple[APIRouter, ...]:
        """All routers of the part."""
        return self.pages, self.api, self.specials, self.probes

    def get(
        self, path: str, *, who: Who, template: str = "", is_page: bool | None = None, is_api: bool = True
    ) -> Callable[[Function], Function]:
        """Register a function that reads; a page where it has a template, or answers with a response of its own."""

        def register(function: Function) -> Function:
            self._add(
                Route(
                    method="GET", prefix=self.prefix, path=path, who=who, function=function, template=template
                ),
                is_page=bool(template) if is_page is None else is_page,
                is_api=is_api,
            )
            return function

        return register

    def post(
        self,
        path: str,
        *,
        who: Who,
        page: Function | None = None,
        then: str = "",
        note: str = "",
        shows: bool = False,
        status: int = 200,
        is_api: bool = True,
    ) -> Callable[[Function], Function]:
        """Register a function that changes something; a form of a page where it names one, or where to go."""

        def register(function: Function) -> Function:
            route = Route(
                method="POST", prefix=self.prefix, path=path, who=who, function=function,
                page=page, then=then, note=note, shows=shows, status=status,
            )  # fmt: skip
            self._add(route, is_page=bool(page or then), is_api=is_api)
            return function

        return register

    def special(self, method: Method, path: str, *, who: Who) -> Callable[[Function], Function]:
        """Register a function of FastAPI's own form, which takes `context: Admitted` and opens sessions by itself.

        For what streams: files that come in pieces, or go out.
        """

        def register(function: Function) -> Function:
            route = Route(method=method, prefix=self.prefix, path=path, who=who, function=function)
            self._allow(route)
            self.specials.add_api_route(
                path, function, methods=[method], name=route.name, response_model=None
            )
            return function

        return register

    def probe(self, path: str) -> Callable[[Function], Function]:
        """Register a function of FastAPI's own form that anybody may ask, and that finds out nothing about who asks.

        For what watches over a server: no database is asked on the way.
        """

        def register(function: Function) -> Function:
            route = Route(method="GET", prefix=self.prefix, path=path, who="anyone", function=function)
            self._allow(route)
            self.probes.add_api_route(
                path, function, methods=["GET", "HEAD"], name=route.name, response_model=None
            )
            return function

        return register

    def _add(self, route: Route, *, is_page: bool, is_api: bool) -> None:
        self._allow(route)
        if route.template:
            _pages[route.function] = route
        methods: list[str] = ["GET", "HEAD"] if route.method == "GET" else [route.method]
        if is_page:
            self.pages.add_api_route(
                route.path,
                _collector(route, is_form=True),
                methods=methods,
                name=route.name,
                response_model=None,
            )
        if is_api:
            returned = inspect.signature(route.function).return_annotation
            model = returned if _is_record(returned) else None
            for method in methods:
                self.api.add_api_route(
                    route.path, _collector(route, is_form=False), methods=[method], name=route.name,
                    response_model=model, status_code=route.status, include_in_schema=method != "HEAD",
                )  # fmt: skip

    def _allow(self, route: Route) -> None:
        REGISTER[route.name] = route
        ROUTE_RULES[route.name] = route.who


class _PageRoute(APIRoute):
    """A route that answers with a page."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return what answers a request."""
        return _handler(super().get_route_handler(), REGISTER[self.name], _answer_page)


class _JsonRoute(APIRoute):
    """A route that answers with JSON."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return what answers a request."""
        return _handler(super().get_route_handler(), REGISTER[self.name], _answer_json)


def _handler(
    parse: Callable[[Request], Any],
    route: Route,
    answer: Callable[[Route, Request, RaimError | None], Response],
) -> Callable[[Request], Any]:
    wanted = inspect.signature(route.function).parameters.get("wanted")

    async def handle(request: Request) -> Response:
        problem: RaimError | None = None
        request.state.values, request.state.typed = {}, {}
        try:
            await parse(request)
            if answer is _answer_page and wanted is not None:
                request.state.values["wanted"] = await _read_form(wanted.annotation, request)
        except (RequestValidationError, ValidationError) as error:  # shown only to who may use the route
            problem = read_problem(error)
        reads = request.method in SAFE_METHODS
        return await threads.run_in_thread(reads, answer, route, request, problem)

    return handle


async def _read_form(model: type[BaseModel], request: Request) -> BaseModel:
    """Read a form as the model that JSON is read as; where a field comes twice, the last holds, but in a list all."""
    form = await request.form()
    are_lists = {name for name, each in model.model_fields.items() if _takes_list(each.annotation)}
    given = {name: form.getlist(name) if name in are_lists else form[name] for name in form}
    request.state.typed = {name: value for name, value in given.items() if "password" not in name}
    return model.model_validate(given)


def _takes_list(annotation: Any) -> bool:
    return get_origin(annotation) in {list, tuple} or any(map(_takes_list, get_args(annotation)))


def _collector(route: Route, *, is_form: bool) -> Function:
    """Make what FastAPI calls with the validated values of a request: it keeps them for the walk that follows."""

    async def collect(request: Request, **values: Any) -> Response:
        request.state.values = values
        return Response()

    given = list(inspect.signature(route.function).parameters.values())[1:]
    parameters = [
        inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request),
        *(
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for each in given
            if not is_form or each.name != "wanted"
        ),
    ]
    collect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    collect.__name__, collect.__doc__ = route.function.__name__, route.function.__doc__
    return collect


def _run(
    route: Route, request: Request, problem: RaimError | None, *, is_limited: bool
) -> tuple[RequestContext, Any]:
    """Walk a request through its one session."""
    with open_context(request) as context:
        if is_limited:
            limit_rate(context)
        if problem is not None:
            raise problem
        return context, route.function(context, **request.state.values)


def _answer_json(route: Route, request: Request, problem: RaimError | None) -> Response:
    _, record = _run(route, request, problem, is_limited=True)
    if isinstance(record, Response):
        return record
    if record is None:
        return Response(status_code=204)
    content = [each.model_dump(mode="json") for each in record] if isinstance(record, list) else None
    return JSONResponse(record.model_dump(mode="json") if content is None else content, route.status)


def _answer_page(route: Route, request: Request, problem: RaimError | None) -> Response:
    try:
        context, record = _run(route, request, problem, is_limited=False)
    except RaimError as error:
        if route.page is None or isinstance(error, AccessError):
            raise
        return show_again(route.page, request, error)
    if isinstance(record, Response):
        return record
    if route.method == "GET":
        return _render(route, context, record, FormState())
    page = None if route.page is None else _pages[route.page]
    if route.shows and page is not None:
        return _show_page(page, request, FormState(), made=record)
    known = {**request.path_params, **(_shown(record) if record is not None else {})}
    known = {name: quote(str(each), safe="") for name, each in known.items() if isinstance(each, str | int)}
    path = (route.then or (page.path if page else "/")).format(**known)
    joint = "&" if "?" in path else "?"
    noted = f"{path}{joint}note={route.note}" if route.note else path
    return RedirectResponse((context.here if route.prefix else "") + noted, status_code=303)


def show_again(page: Function, request: Request, error: RaimError) -> Response:
    """Show the page that a form came from, with what was wrong beside its fields and what was typed in them."""
    problems = getattr(error, "fields", {})
    form = FormState(
        error="" if problems else str(error),
        problems=problems,
        typed=request.state.typed,
        path=request.url.path,
    )
    return _show_page(_pages[page], request, form, made=None, status=status_of(error)[0])


def _show_page(page: Route, request: Request, form: FormState, *, made: Any, status: int = 200) -> Response:
    asked = {**request.query_params, **request.path_params}
    try:
        given = {
            name: TypeAdapter(each.annotation).validate_python(asked[name])
            for name, each in inspect.signature(page.function).parameters.items()
            if name in asked
        }
    except ValidationError as error:
        raise UnknownNameError("there is no such page") from error
    with open_context(request, is_reading=True) as context:
        record = page.function(context, **given)
    return _render(page, context, record, form, made=made, status=status)


def _render(
    route: Route,
    context: RequestContext,
    record: Any,
    form: FormState,
    *,
    made: Any = None,
    status: int = 200,
) -> Response:
    template = f"{route.template}.html.jinja"
    page = render_page(
        context, template, status=status, record=record, form=form, made=made, **_shown(record)
    )
    page.headers.update(context.headers)
    return page


def _shown(record: Any) -> dict[str, Any]:
    """Return a record's fields by name; a list stands under `rows`."""
    if isinstance(record, list):
        return {"rows": record}
    return {name: getattr(record, name) for name in type(record).model_fields}


def _is_record(annotation: Any) -> bool:
    if get_origin(annotation) is list:
        annotation = get_args(annotation)[0]
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)
