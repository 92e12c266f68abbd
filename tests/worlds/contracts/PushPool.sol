// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Who trades in a real Uniswap v3 pool, and who consults it with the arithmetic of OracleLibrary.

interface IPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function initialize(uint160 root) external;
    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool);
    function mint(address to, int24 lower, int24 upper, uint128 amount, bytes calldata data) external returns (uint256, uint256);
    function burn(int24 lower, int24 upper, uint128 amount) external returns (uint256, uint256);
    function swap(address to, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data) external returns (int256, int256);
    function observe(uint32[] calldata ago) external view returns (int56[] memory, uint160[] memory);
}

contract PushCoin {
    uint8 public immutable decimals;
    mapping(address => uint256) public balanceOf;

    constructor(uint8 places) {
        decimals = places;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Provides liquidity and trades; pays what the pool asks for with coins made for the purpose.
contract PushTrader {
    uint160 private constant LOWEST = 4295128740;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970341;

    function provide(IPool pool, int24 lower, int24 upper, uint128 amount) external {
        pool.mint(address(this), lower, upper, amount, "");
    }

    function withdraw(IPool pool, int24 lower, int24 upper, uint128 amount) external {
        pool.burn(lower, upper, amount);
    }

    function trade(IPool pool, bool zeroForOne, int256 amount) external {
        pool.swap(address(this), zeroForOne, amount, zeroForOne ? LOWEST : HIGHEST, "");
    }

    function uniswapV3MintCallback(uint256 owed0, uint256 owed1, bytes calldata) external {
        _pay(IPool(msg.sender).token0(), owed0);
        _pay(IPool(msg.sender).token1(), owed1);
    }

    function uniswapV3SwapCallback(int256 owed0, int256 owed1, bytes calldata) external {
        if (owed0 > 0) _pay(IPool(msg.sender).token0(), uint256(owed0));
        if (owed1 > 0) _pay(IPool(msg.sender).token1(), uint256(owed1));
    }

    function _pay(address coin, uint256 amount) private {
        PushCoin(coin).mint(msg.sender, amount);
    }

    /// The tick that a pool gives to a square root of its price: only called, never sent.
    function tickAt(IPool pool, uint160 root) external returns (int24 tick) {
        pool.initialize(root);
        (, tick,,,,,) = pool.slot0();
    }
}

contract PushConsultant {
    /// The mean tick, towards negative infinity, and the harmonic mean liquidity.
    function consult(IPool pool, uint32 window) external view returns (int24 tick, uint256 liquidity) {
        uint32[] memory ago = new uint32[](2);
        ago[0] = window;
        (int56[] memory ticks, uint160[] memory idle) = pool.observe(ago);
        unchecked {
            int56 gone = ticks[1] - ticks[0];
            int56 long = int56(uint56(window));
            tick = int24(gone / long);
            if (gone < 0 && gone % long != 0) tick--;
            uint160 idled = idle[1] - idle[0];
            liquidity = uint192(window) * uint192(type(uint160).max) / (uint192(idled) << 32);
        }
    }

    /// What an amount is worth at a square root of the price of token 0.
    function quote(uint160 root, uint128 amount, bool of0) external pure returns (uint256) {
        if (root <= type(uint128).max) {
            uint256 fine = uint256(root) * root;
            return of0 ? mulDiv(fine, amount, 1 << 192) : mulDiv(1 << 192, amount, fine);
        }
        uint256 coarse = mulDiv(root, root, 1 << 64);
        return of0 ? mulDiv(coarse, amount, 1 << 128) : mulDiv(1 << 128, amount, coarse);
    }

    /// a * b / d with all 512 bits of the product, by long division: bit after bit, slow and plain.
    function mulDiv(uint256 a, uint256 b, uint256 d) public pure returns (uint256 quotient) {
        unchecked {
            uint256 low = a * b;
            uint256 mm = mulmod(a, b, type(uint256).max);
            uint256 rest = mm - low;
            if (mm < low) rest -= 1; // the upper 256 bits of the product
            require(rest < d, "overflow");
            for (uint256 bit = 256; bit > 0; bit--) {
                bool carry = rest >> 255 == 1;
                rest = (rest << 1) | ((low >> (bit - 1)) & 1);
                quotient <<= 1;
                if (carry || rest >= d) {
                    rest -= d;
                    quotient |= 1;
                }
            }
        }
    }
}

/// A pool that answers `observe` with a single moment, whatever it is asked.
contract PushShortPool {
    address public immutable token0;
    address public immutable token1;

    constructor(address coin) {
        (token0, token1) = (coin, coin);
    }

    function observe(uint32[] calldata) external pure returns (int56[] memory, uint160[] memory) {
        return (new int56[](1), new uint160[](1));
    }
}

/// A source of a kind that nobody knows: an answer, and its decimals unless they are 255.
contract PushUnknown {
    int256 public immutable latestAnswer;
    uint8 private immutable places;

    constructor(int256 answer, uint8 decimals_) {
        (latestAnswer, places) = (answer, decimals_);
    }

    function decimals() external view returns (uint8) {
        require(places != 255, "none");
        return places;
    }
}
