// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// A source whose whole answer the test writes, misbehaviour included: `raw` is returned to any call, if it is set.
contract Whatever {
    bytes private raw;
    bool private refuses;

    function answer(bytes calldata with) external {
        raw = with;
        refuses = false;
    }

    function refuse(bytes calldata with) external {
        raw = with;
        refuses = true;
    }

    fallback() external {
        bytes memory said = raw;
        bool no = refuses;
        assembly {
            if no { revert(add(said, 32), mload(said)) }
            return(add(said, 32), mload(said))
        }
    }
}
