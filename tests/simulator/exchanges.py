"""The simulated exchanges. Each answers in its own form: member order, strings
or numbers, blanks, extra members and errors as the exchange sends them.
"""

from binance_family import Binance, BinanceUs, Mexc
from dollar_markets import (Bitfinex, Bitstamp, CoinbaseExchange, CoinGecko,
                            Cryptocom, Gemini, Kraken)
from paid import CoinMarketCap
from tether_markets import Bitget, Bybit, Gate, Htx, KuCoin, Okx

ALL = (Binance(), CoinbaseExchange(), Kraken(), Bitstamp(), BinanceUs(),
       Gemini(), Bitfinex(), Cryptocom(), Okx(), Bybit(), KuCoin(), Gate(),
       Bitget(), Htx(), Mexc(), CoinGecko(), CoinMarketCap())
