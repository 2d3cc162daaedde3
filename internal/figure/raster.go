// SPDX-License-Identifier: AGPL-3.0-or-later

package figure

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// density is how many dots of a PNG stand for one pixel: about 300 to the inch.
const density = 3.125

// maxDots bounds the memory that a picture may take.
const maxDots = 120e6

var faces = sync.OnceValue(func() [2]*sfnt.Font {
	var out [2]*sfnt.Font
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // the fonts are in the program
		}
		out[i] = f
	}
	return out
})

func (f Font) sfnt() *sfnt.Font {
	if f.Bold {
		return faces()[1]
	}
	return faces()[0]
}

// Width returns how wide a text stands, in pixels, in the font of the PNG, which
// is a little wider than those that a browser takes for the SVG.
func Width(text string, f Font) float64 {
	var b sfnt.Buffer
	s := f.sfnt()
	size := fixed.Int26_6(f.Size * 64)
	var w fixed.Int26_6
	for _, r := range text {
		i, err := s.GlyphIndex(&b, r)
		if err != nil {
			continue
		}
		if a, err := s.GlyphAdvance(&b, i, size, font.HintingNone); err == nil {
			w += a
		}
	}
	return float64(w) / 64
}

// Fit shortens a text to a width, with three points for what is left out.
func Fit(text string, f Font, width float64) string {
	if Width(text, f) <= width {
		return text
	}
	r := []rune(text)
	for n := len(r) - 1; n > 0; n-- {
		if t := string(r[:n]) + "…"; Width(t, f) <= width {
			return t
		}
	}
	return "…"
}

// PNG writes the picture with about 300 dots to the inch.
func (c *Canvas) PNG() ([]byte, error) {
	w, h := int(math.Ceil(c.W*density)), int(math.Ceil(c.H*density))
	if float64(w)*float64(h) > maxDots {
		return nil, fmt.Errorf("the picture would have %d by %d dots; write it as .svg, which has no such limit", w, h)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, it := range c.items {
		it.raster(img)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("writing the PNG: %w", err)
	}
	return b.Bytes(), nil
}

func rgba(hex string) color.RGBA {
	v, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		panic(err) // colours are constants
	}
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

// box is a rasterizer that covers no more of the image than is needed.
type box struct {
	*vector.Rasterizer
	at image.Point
}

func newBox(p []Point, margin float64, within image.Rectangle) (box, bool) {
	r := image.Rectangle{Min: image.Pt(math.MaxInt32, math.MaxInt32), Max: image.Pt(math.MinInt32, math.MinInt32)}
	for _, q := range p {
		r.Min.X = min(r.Min.X, int(math.Floor(q.X-margin)))
		r.Min.Y = min(r.Min.Y, int(math.Floor(q.Y-margin)))
		r.Max.X = max(r.Max.X, int(math.Ceil(q.X+margin))+1)
		r.Max.Y = max(r.Max.Y, int(math.Ceil(q.Y+margin))+1)
	}
	if r = r.Intersect(within); r.Empty() {
		return box{}, false
	}
	return box{vector.NewRasterizer(r.Dx(), r.Dy()), r.Min}, true
}

func (b box) outline(p []Point) {
	for i, q := range p {
		x, y := float32(q.X-float64(b.at.X)), float32(q.Y-float64(b.at.Y))
		if i == 0 {
			b.MoveTo(x, y)
		} else {
			b.LineTo(x, y)
		}
	}
	b.ClosePath()
}

func (b box) paint(img draw.Image, colour string) {
	b.Draw(img, image.Rectangle{Min: b.at, Max: b.at.Add(b.Size())}, image.NewUniform(rgba(colour)), image.Point{})
}

func (it item) raster(img *image.RGBA) {
	p := make([]Point, len(it.points))
	for i, q := range it.points {
		p[i] = Point{q.X * density, q.Y * density}
	}
	if it.text != "" {
		it.font.raster(img, p[0], it.text)
		return
	}
	closed := it.closed
	if it.circle > 0 {
		p, closed = disc(p[0], it.circle*density), true
	}
	if it.fill != "" {
		if b, ok := newBox(p, 0, img.Bounds()); ok {
			b.outline(p)
			b.paint(img, it.fill)
		}
	}
	if it.stroke.Width > 0 {
		if closed {
			p = append(p, p[0])
		}
		it.stroke.raster(img, p)
	}
}

func disc(c Point, r float64) []Point {
	p := make([]Point, 48)
	for i := range p {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(p)))
		p[i] = Point{c.X + r*cos, c.Y + r*sin}
	}
	return p
}

// raster draws each piece of the line by itself: one wide rectangle, and a disc
// where two meet. They are laid over each other, which is seen in no opaque colour.
func (s Stroke) raster(img *image.RGBA, p []Point) {
	half := s.Width * density / 2
	for _, run := range s.dashes(p) {
		for i := 1; i < len(run); i++ {
			a, b := run[i-1], run[i]
			d := math.Hypot(b.X-a.X, b.Y-a.Y)
			if d == 0 {
				continue
			}
			nx, ny := -(b.Y-a.Y)/d*half, (b.X-a.X)/d*half
			quad := []Point{{a.X + nx, a.Y + ny}, {b.X + nx, b.Y + ny}, {b.X - nx, b.Y - ny}, {a.X - nx, a.Y - ny}}
			if r, ok := newBox(quad, 1, img.Bounds()); ok {
				r.outline(quad)
				r.paint(img, s.Colour)
			}
			if i < len(run)-1 {
				if r, ok := newBox([]Point{b}, half+1, img.Bounds()); ok {
					r.outline(disc(b, half))
					r.paint(img, s.Colour)
				}
			}
		}
	}
}

// dashes cuts a line into the pieces that are drawn.
func (s Stroke) dashes(p []Point) [][]Point {
	if len(s.Dash) == 0 {
		return [][]Point{p}
	}
	var out [][]Point
	k, left, on := 0, s.Dash[0]*density, true
	run := []Point{p[0]}
	for i := 1; i < len(p); i++ {
		a, b := p[i-1], p[i]
		for {
			d := math.Hypot(b.X-a.X, b.Y-a.Y)
			if d <= left {
				left -= d
				run = append(run, b)
				break
			}
			f := left / d
			a = Point{a.X + f*(b.X-a.X), a.Y + f*(b.Y-a.Y)}
			if run = append(run, a); on {
				out = append(out, run)
			}
			run, on = []Point{a}, !on
			k = (k + 1) % len(s.Dash)
			left = s.Dash[k] * density
		}
	}
	if on {
		out = append(out, run)
	}
	return out
}

func (f Font) raster(img *image.RGBA, p Point, text string) {
	switch w := Width(text, f) * density; f.Anchor {
	case "middle":
		p.X -= w / 2
	case "end":
		p.X -= w
	}
	face, err := opentype.NewFace(f.sfnt(), &opentype.FaceOptions{Size: f.Size * density, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // the fonts are in the program, the sizes constants
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(rgba(f.colour())), Face: face, Dot: fixed.Point26_6{X: fixed.Int26_6(p.X * 64), Y: fixed.Int26_6(p.Y * 64)}}
	d.DrawString(text)
	_ = face.Close()
}
