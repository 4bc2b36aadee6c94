module slipway/tools/pause

go 1.25.0

tool slipway/tools/pause
