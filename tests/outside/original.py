"""The original Flask application, reconstructed.

test_original.py holds it to what the original's public source says, and names that
source. `bench/` serves it, too, with a newer Flask and under gunicorn.
"""

from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/will")
def will():
    return jsonify("Hello World")


@app.route("/ready")
def ready():
    return jsonify("It works!")
