// Lets the clients of oapi-codegen and ogen predict three irises. The argument is the server's port.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"clients/oapi"
	"clients/ogen"
)

const (
	rowRequest = `{"instances":[[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4],[6.3,3.3,6.0,2.5]]}`
	v2Request  = `{"inputs":[{"name":"input-0","shape":[3,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2,6.8,2.8,4.8,1.4,6.3,3.3,6.0,2.5]}]}`
)

var labels = []any{"setosa", "versicolor", "virginica"}

func main() {
	url := "http://localhost:" + os.Args[1]
	predictByOapi(url)
	predictByOgen(url)
}

func predictByOapi(url string) {
	background := context.Background()
	client := must(oapi.NewClientWithResponses(url))
	rows := oapi.V1Request{}
	must(0, rows.FromRowRequest(parse[oapi.RowRequest](rowRequest)))
	for i, row := range *must(client.PredictWithResponse(background, "iris", nil, rows)).JSON200.Predictions {
		check(row.(map[string]any)["label"], labels[i])
	}
	tensors := parse[oapi.V2Request](v2Request)
	check(*must(client.InferWithResponse(background, "iris", nil, tensors)).JSON200.Outputs[0].Data, labels)
	check(must(client.InferWithResponse(background, "other", nil, tensors)).JSON4XX != nil, true)
}

func predictByOgen(url string) {
	background := context.Background()
	client := must(ogen.NewClient(url))
	rows := ogen.NewRowRequestV1Request(parse[ogen.RowRequest](rowRequest))
	predicted := must(client.Predict(background, rows, ogen.PredictParams{Model: "iris"})).(*ogen.V1Response)
	for i, row := range predicted.Predictions {
		check(parse[map[string]any](string(row))["label"], labels[i])
	}
	tensors := parse[ogen.V2Request](v2Request)
	inferred := must(client.Infer(background, &tensors, ogen.InferParams{Model: "iris"})).(*ogen.V2ResponseHeaders)
	for i, label := range inferred.Response.Outputs[0].Data {
		check(parse[any](string(label)), labels[i])
	}
	refusal := must(client.Infer(background, &tensors, ogen.InferParams{Model: "other"}))
	check(refusal.(*ogen.ErrorStatusCodeWithHeaders).StatusCode, 404)
}

func check(found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Sprint(found, " instead of ", expected))
	}
}

func parse[T any](text string) T {
	var value T
	must(0, json.Unmarshal([]byte(text), &value))
	return value
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
