"""The original Flask application, rewritten from its description.

Its source is not available. Two sentences describe it: routes /will and /ready on
port 5000, answered with jsonify.
"""

from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/will")
def will():
    return jsonify("Hello World")


@app.route("/ready")
def ready():
    return jsonify("It works!")


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
