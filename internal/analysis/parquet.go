// SPDX-License-Identifier: AGPL-3.0-or-later

package analysis

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/entente-project/entente/stats"
)

// readParquet reads a flat table: numbers and truth values become numbers, texts
// become factors. It stands here and not in stats, which is to stay free of what
// the format needs.
func readParquet(path string, o stats.CSVOptions) (_ *stats.Frame, err error) {
	defer func() {
		// The library panics on some damaged files.
		if r := recover(); r != nil {
			err = fmt.Errorf("this is no Parquet file that can be read (%v); write the table as CSV", r)
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("this is no Parquet file that can be read (%w)", err)
	}
	var columns []*stats.Column
	for _, c := range p.Root().Columns() {
		if !c.Leaf() || c.Repeated() {
			return nil, fmt.Errorf("column %s holds lists or records; only tables of single values are read", c.Name())
		}
		col, err := parquetColumn(c, int(p.NumRows()))
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name(), err)
		}
		if slices.Contains(o.Factors, c.Name()) {
			col = col.AsFactor()
		}
		columns = append(columns, col)
	}
	return stats.NewFrame(columns...)
}

func parquetColumn(c *parquet.Column, rows int) (*stats.Column, error) {
	missing := make([]bool, rows)
	texts := c.Type().Kind() == parquet.ByteArray || c.Type().Kind() == parquet.FixedLenByteArray
	scale := 1.0
	if l := c.Type().LogicalType(); l != nil {
		if d, ok := l.Value.(*format.DecimalType); ok {
			if texts {
				return nil, errors.New("decimals of this width are not read; write them as doubles")
			}
			scale = math.Pow10(int(d.Scale))
		}
	}
	var words []string
	var numbers []float64
	if texts {
		words = make([]string, rows)
	} else {
		numbers = make([]float64, rows)
	}
	at := 0
	err := eachValue(c, func(v parquet.Value) error {
		if at >= rows {
			return errors.New("it has more values than the file has rows")
		}
		switch {
		case v.IsNull():
			missing[at] = true
		case texts:
			words[at] = string(v.ByteArray())
		default:
			x, err := parquetNumber(v)
			if err != nil {
				return err
			}
			if missing[at] = math.IsNaN(x); !missing[at] {
				numbers[at] = x / scale
			}
		}
		at++
		return nil
	})
	if err != nil {
		return nil, err
	}
	if at != rows {
		return nil, fmt.Errorf("it has %d values, the file %d rows", at, rows)
	}
	if texts {
		return stats.NewFactor(c.Name(), words, missing), nil
	}
	return stats.NewNumeric(c.Name(), numbers, missing)
}

func parquetNumber(v parquet.Value) (float64, error) {
	switch v.Kind() {
	case parquet.Boolean:
		if v.Boolean() {
			return 1, nil
		}
		return 0, nil
	case parquet.Int32:
		return float64(v.Int32()), nil
	case parquet.Int64:
		return float64(v.Int64()), nil
	case parquet.Float:
		return float64(v.Float()), nil
	case parquet.Double:
		return v.Double(), nil
	}
	return 0, fmt.Errorf("values of the kind %s are not read", v.Kind())
}

// eachValue goes through a column from its first row to its last.
func eachValue(c *parquet.Column, do func(parquet.Value) error) (err error) {
	pages := c.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	buffer := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buffer)
			for _, v := range buffer[:n] {
				if err := do(v); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
}
