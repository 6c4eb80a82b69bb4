def pytest_addoption(parser):
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="overwrite golden/ with the current renders",
    )
