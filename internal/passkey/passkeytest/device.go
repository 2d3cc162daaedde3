// SPDX-License-Identifier: AGPL-3.0-or-later

package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// Device holds one passkey. Its fields may be changed to lie.
type Device struct {
	Origin   string
	Host     string
	ID       []byte // chosen by the first Make, unless it is set before
	Handle   string // whose it says it is
	Counter  uint32
	Unproved bool // the person was not made sure of
	Backup   bool // may be kept elsewhere too
	Spoiled  bool // the signature is of something else
	Type     string
	key      *ecdsa.PrivateKey
}

// New is a device at a site.
func New(origin, host string) *Device { return &Device{Origin: origin, Host: host} }

var text = base64.RawURLEncoding.EncodeToString

type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

// Make answers what a browser is asked when a passkey is added.
func (d *Device) Make(asked string) ([]byte, error) {
	var o options
	if err := json.Unmarshal([]byte(asked), &o); err != nil {
		return nil, err
	}
	handle, err := base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	if err != nil {
		return nil, err
	}
	if d.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	d.Handle = string(handle)
	if d.ID == nil {
		d.ID = make([]byte, 16)
		if _, err := rand.Read(d.ID); err != nil {
			return nil, err
		}
	}
	point, err := d.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	// A COSE key: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
	cose := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32}, point[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 32), point[33:]...)
	data := d.data(0x40) // and a key with it
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.ID)))
	data = append(append(data, d.ID...), cose...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := []byte{0xa3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xa0, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x59}
	object = append(binary.BigEndian.AppendUint16(object, uint16(len(data))), data...)
	return d.answer(map[string]any{"clientDataJSON": text(d.said("webauthn.create", o)), "attestationObject": text(object)})
}

// Show answers what a browser is asked when a passkey is shown.
func (d *Device) Show(asked string) ([]byte, error) {
	if d.key == nil {
		return nil, errors.New("passkeytest: no passkey was made")
	}
	var o options
	if err := json.Unmarshal([]byte(asked), &o); err != nil {
		return nil, err
	}
	client, data := d.said("webauthn.get", o), d.data(0)
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	if d.Spoiled {
		signed[0]++
	}
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
	if err != nil {
		return nil, err
	}
	return d.answer(map[string]any{"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text([]byte(d.Handle))})
}

// data is what the device says of itself: whose site, which flags, the counter.
func (d *Device) data(flags byte) []byte {
	host := sha256.Sum256([]byte(d.Host))
	flags |= 1 // somebody is there
	if !d.Unproved {
		flags |= 4
	}
	if d.Backup {
		flags |= 8
	}
	return binary.BigEndian.AppendUint32(append(host[:], flags), d.Counter)
}

func (d *Device) said(kind string, o options) []byte {
	if d.Type != "" {
		kind = d.Type
	}
	out, err := json.Marshal(map[string]any{"type": kind, "challenge": o.PublicKey.Challenge, "origin": d.Origin, "crossOrigin": false})
	if err != nil {
		panic(err) // of three texts
	}
	return out
}

func (d *Device) answer(response map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{"id": text(d.ID), "rawId": text(d.ID), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
}
