# The smallest Flask service: it parses the JSON and always returns the same answer.
import json

from flask import Flask, request

app = Flask(__name__)


@app.post('/v2/models/<name>/infer')
def infer(name):
    json.loads(request.get_data())
    return 'result'
