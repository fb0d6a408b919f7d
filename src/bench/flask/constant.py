# The least that a Flask service for EAS does: JSON in, always the same answer out.
import json

from flask import Flask, request

app = Flask(__name__)


@app.route('/', methods=['GET', 'POST'])
def predict():
    json.loads(request.get_data())
    return 'result'
