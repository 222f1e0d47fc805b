package traffic

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/payout"
)

// CregisEvent returns an event of API Gateway with a signed callback of Cregis: payout
// number n succeeded. [StreamKeys] verify it.
func CregisEvent(n int) ([]byte, error) {
	random := rand.New(rand.NewPCG(1, 1))
	s := script{Rand: random, number: n}
	request, err := s.cregis(payout.TypePayout, 6, "1.1").Sign(random, time.UnixMilli(1687850659000), streamKey)
	if err != nil {
		return nil, err
	}
	return json.Marshal(events.APIGatewayV2HTTPRequest{
		RouteKey: "POST /callbacks/cregis/payout",
		Headers:  map[string]string{"content-type": request.Header.Get("Content-Type")},
		Body:     string(request.Body),
	})
}
