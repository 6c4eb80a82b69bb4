def pytest_addoption(parser):
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="write golden/ anew instead of comparing with it",
    )
