// go get github.com/gorilla/websocket
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

type object = map[string]any

var url = "http://localhost:3000"
var lastID float64

func logIn(username, password string) (string, error) {
	body, _ := json.Marshal(object{"username": username, "password": password})
	answer, err := http.Post(url+"/auth/login", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var login struct{ Token, Message string }
	if err := json.NewDecoder(answer.Body).Decode(&login); err != nil {
		return "", err
	}
	if login.Token == "" {
		return "", fmt.Errorf("no token: %s", login.Message)
	}
	return login.Token, nil
}

// call returns the params of the reply, and prints the pushes that arrive before it.
func call(socket *websocket.Conn, kind string, params object) (object, error) {
	lastID++
	if err := socket.WriteJSON(object{"type": kind, "params": params, "id": lastID}); err != nil {
		return nil, err
	}
	for {
		var frame object
		if err := socket.ReadJSON(&frame); err != nil {
			return nil, err
		}
		if frame["id"] != lastID {
			fmt.Println("push", frame["type"], frame["params"])
		} else if frame["error"] == true {
			return nil, fmt.Errorf("%v: %v", frame["code"], frame["message"])
		} else {
			return frame["params"].(object), nil
		}
	}
}

func run() error {
	token, err := logIn("Ada", "correct horse")
	if err != nil {
		return err
	}
	address := strings.Replace(url, "http", "ws", 1) + "/?token=" + token
	socket, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		return err
	}
	defer socket.Close()
	group, err := call(socket, "newGroup", object{"groupName": "Climbers"})
	if err != nil {
		return err
	}
	message := object{"groupId": group["groupId"], "content": "Hello"}
	reply, err := call(socket, "messageInGroup", message)
	if err != nil {
		return err
	}
	fmt.Println("stored as", reply["seq"])
	return nil
}

func main() {
	if set := os.Getenv("PARLEY_URL"); set != "" {
		url = set
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
