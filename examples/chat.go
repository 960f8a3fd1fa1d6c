// Parley in raw frames, from Go: log in, send a message, print the pushes.
//
//	go get github.com/gorilla/websocket      (Debian: golang-github-gorilla-websocket-dev)
//	go run examples/chat.go Ada "correct horse" Bob "Hello from Go"
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// frame is a reply or an error, which has the id of its request, or a push, which has no id.
type frame struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"`
	Success bool            `json:"success"`
	Error   bool            `json:"error"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Params  json.RawMessage `json:"params"`
}

type client struct {
	socket *websocket.Conn
	lastID int
}

// call sends a request, waits for its reply and prints the pushes that arrive before it.
func (c *client) call(kind string, params any, result any) error {
	c.lastID++
	request := map[string]any{"type": kind, "params": params, "id": c.lastID}
	if err := c.socket.WriteJSON(request); err != nil {
		return err
	}
	for {
		reply, err := c.read()
		if err != nil {
			return err
		}
		if reply.ID != c.lastID {
			continue
		}
		if reply.Error {
			return fmt.Errorf("%s: %s", reply.Code, reply.Message)
		}
		return json.Unmarshal(reply.Params, result)
	}
}

func (c *client) read() (frame, error) {
	var next frame
	if err := c.socket.ReadJSON(&next); err != nil {
		return next, err
	}
	if next.ID == 0 && next.Success {
		var push struct{ SenderName, Message string }
		_ = json.Unmarshal(next.Params, &push)
		fmt.Println("push", next.Type, push.SenderName, push.Message)
	}
	return next, nil
}

// logIn returns a token: accounts use HTTP.
func logIn(url, username, password string) string {
	body, _ := json.Marshal(map[string]string{"username": username, "password": password})
	answer, err := http.Post(url+"/auth/login", "application/json", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var entrance struct{ Token, Message string }
	if err := json.NewDecoder(answer.Body).Decode(&entrance); err != nil || entrance.Token == "" {
		log.Fatalf("log in: %s %v", entrance.Message, err)
	}
	return entrance.Token
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: chat <username> <password> <to> <text>")
	}
	username, password, to, text := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	url := os.Getenv("PARLEY_URL")
	if url == "" {
		url = "http://localhost:3000"
	}
	header := http.Header{"Authorization": {"Bearer " + logIn(url, username, password)}}
	// The id stays the same when the message is sent again, so that the message is stored once.
	messageID := fmt.Sprintf("go-%d", time.Now().UnixNano())
	for ; ; time.Sleep(time.Second) {
		socket, _, err := websocket.DefaultDialer.Dial(strings.Replace(url, "http", "ws", 1)+"/ws", header)
		if err != nil {
			log.Println(err)
			continue
		}
		err = talk(&client{socket: socket}, to, text, messageID)
		log.Println(err)
		socket.Close()
	}
}

func talk(c *client, to, text, messageID string) error {
	var people struct {
		Data []struct {
			UserID   int
			Username string
		}
	}
	if err := c.call("searchUsers", map[string]any{"query": to}, &people); err != nil {
		return err
	}
	for _, person := range people.Data {
		if person.Username != to {
			continue
		}
		var sent struct{ Seq int }
		message := map[string]any{"receiverId": person.UserID, "content": text, "clientMessageId": messageID}
		if err := c.call("privateMessage", message, &sent); err != nil {
			return err
		}
		fmt.Println("stored at seq", sent.Seq)
	}
	for {
		if _, err := c.read(); err != nil {
			return err
		}
	}
}
